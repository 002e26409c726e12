package views

// PointsPath is the ledger of a team's points.
const PointsPath = UsagePath + "/points"
