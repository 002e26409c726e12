package store

import (
	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// addEntry adds an entry to a team's ledger and moves its balance with it. Whoever calls it
// has opened the transaction and set the time. It returns the balance after it.
func addEntry(tx *gorm.DB, entry models.LedgerEntry) (int64, error) {
	var used, bought int64
	switch entry.Kind {
	case models.LedgerUse:
		used = -entry.Points
	case models.LedgerPurchase:
		bought = entry.Points
	}
	err := tx.Raw(`INSERT INTO team_points (team_id, balance, period_used, period_bought) VALUES (?, ?, ?, ?)
		ON CONFLICT (team_id) DO UPDATE SET balance = balance + excluded.balance,
			period_used = period_used + excluded.period_used, period_bought = period_bought + excluded.period_bought
		RETURNING balance`, entry.TeamID, entry.Points, used, bought).Scan(&entry.BalanceAfter).Error
	if err != nil {
		return 0, err
	}
	entry.ID = NewID()
	return entry.BalanceAfter, tx.Create(&entry).Error
}
