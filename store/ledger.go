package store

import (
	"encoding/json"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// A team's entries follow each other in the order in which they were written, which is that of the
// commits: of two processes one may have entries of the same millisecond with a lower ID.

// addEntry adds an entry to a team's ledger and moves its balance with it. Whoever calls it
// has opened the transaction and set the time. It returns the balance after it. A balance
// beyond 64 bits is refused by the column, and the transaction with it.
func addEntry(tx *gorm.DB, entry models.LedgerEntry) (int64, error) {
	var used, bought int64
	switch entry.Kind {
	case models.LedgerUse:
		used = -entry.Points
	case models.LedgerPurchase:
		bought = entry.Points
	}
	err := tx.Raw(`INSERT INTO team_points (team_id, balance, period_used, period_bought) VALUES (?, ?, ?, ?)
		ON CONFLICT (team_id) DO UPDATE SET balance = team_points.balance + excluded.balance,
			period_used = team_points.period_used + excluded.period_used, period_bought = team_points.period_bought + excluded.period_bought
		RETURNING balance`, entry.TeamID, entry.Points, used, bought).Scan(&entry.BalanceAfter).Error
	if err != nil {
		return 0, err
	}
	entry.ID = NewID()
	return entry.BalanceAfter, tx.Create(&entry).Error
}

func moveBalances(d dialect) string {
	return `INSERT INTO team_points (team_id, balance, period_used, period_bought)
		SELECT value->>0, -CAST(value->>1 AS BIGINT), CAST(value->>1 AS BIGINT), 0 FROM ` + d.elements() + ` WHERE TRUE
		ON CONFLICT (team_id) DO UPDATE SET balance = team_points.balance + excluded.balance, period_used = team_points.period_used + excluded.period_used`
}

func insertUses(d dialect) string {
	return `INSERT INTO ledger_entries (id, team_id, at, kind, points, balance_after, reference)
		SELECT j.value->>2, b.team_id, CAST(? AS BIGINT), 'use', -CAST(j.value->>1 AS BIGINT), b.balance, ?
		FROM ` + d.elements() + d.crossJoin() + `team_points b ON b.team_id = j.value->>0`
}

// charges is what calls of each team cost, as a JSON list of [team, points, ID of the
// entry]: hundreds of teams are one parameter of one statement.
func charges(charged map[string]int64) (string, error) {
	rows := make([][3]any, 0, len(charged))
	for team, points := range charged {
		rows = append(rows, [3]any{team, points, NewID()})
	}
	text, err := json.Marshal(rows)
	return string(text), err
}

// addUses is addEntry for the uses of a batch, one for each team.
func addUses(tx *gorm.DB, batch, charged string, now models.Time) error {
	if err := tx.Exec(moveBalances(dialectOf(tx)), charged).Error; err != nil {
		return err
	}
	return tx.Exec(insertUses(dialectOf(tx)), now, batch, charged).Error
}
