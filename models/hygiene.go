package models

import "time"

// FindingReason says why an application stands in the hygiene list.
type FindingReason string

// The reasons.
const (
	FoundNeverUsed FindingReason = "never_used"
	FoundIdle      FindingReason = "idle"
	FoundMakerGone FindingReason = "maker_gone"
	FoundOldSecret FindingReason = "old_secret"
)

// FindingReasons lists them in the order of the page.
var FindingReasons = []FindingReason{FoundMakerGone, FoundOldSecret, FoundIdle, FoundNeverUsed}

// What counts as a finding. Only applications that are switched on have any.
const (
	NeverUsedAfter = 7 * 24 * time.Hour
	IdleAfter      = 90 * 24 * time.Hour
	OldSecretAfter = 365 * 24 * time.Hour
	// KeepFindingFor is how long a finding that somebody keeps stays away.
	KeepFindingFor = 90 * 24 * time.Hour
)

// Known tells whether there is such a reason.
func (r FindingReason) Known() bool {
	for _, known := range FindingReasons {
		if r == known {
			return true
		}
	}
	return false
}

// Finding is an application with one reason to look at it.
type Finding struct {
	Reason          FindingReason
	ApplicationID   string
	ApplicationName string
	// Since is when the application was made or last used, or the secret was made.
	Since Time
	// MakerName is who is gone, for FoundMakerGone.
	MakerName string
	Deletable bool
}

// FindingList is one page of a team's findings.
type FindingList struct {
	Rows  []Finding
	Total int64
}
