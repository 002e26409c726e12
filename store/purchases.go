package store

import (
	"context"

	"github.com/latchkey/latchkey/models"
)

// AddPoints adds points that were bought. The same purchase, by its reference, changes
// nothing again; another one under a reference that is known gives models.FieldErrors
// (reference), one that the balance has no room for too (points). A form that is posted
// twice takes effect once.
func (s *Store) AddPoints(ctx context.Context, actor models.Actor, in models.PointsChange, formKey string) (models.Receipt, error) {
	var receipt models.Receipt
	err := s.operate(ctx, actor, models.AuditPointsAdded, func(c change) error {
		receipt = models.Receipt{}
		if err := c.openLedger(&receipt, in.TeamID, formKey); err != nil {
			return err
		}
		earlier, err := c.purchase(in.Reference)
		if err != nil {
			return err
		}
		if earlier.ID != "" {
			receipt.Duplicate, receipt.At = true, earlier.At
			return sameOrOther(earlier, in)
		}
		return c.book(&receipt, models.LedgerPurchase, in)
	})
	return receipt, err
}

// purchase finds what was bought under a reference, in any team.
func (c change) purchase(reference string) (models.LedgerEntry, error) {
	var found []models.LedgerEntry
	if reference == "" {
		return models.LedgerEntry{}, nil
	}
	err := c.Where("kind = 'purchase' AND reference = ? AND reference <> ''", reference).Limit(1).Find(&found).Error
	if err != nil || len(found) == 0 {
		return models.LedgerEntry{}, err
	}
	return found[0], nil
}

func sameOrOther(earlier models.LedgerEntry, in models.PointsChange) error {
	if earlier.TeamID == in.TeamID && earlier.Points == in.Points && earlier.Note == in.Note {
		return errNothingToDo
	}
	return models.FieldErrors{"reference": "Another purchase has this reference already, of " + models.Count(earlier.Points, "point") + ". Write one of its own."}
}

// CorrectPoints changes a balance either way, for a reason. One that the balance has no
// room for gives models.FieldErrors (points).
func (s *Store) CorrectPoints(ctx context.Context, actor models.Actor, in models.PointsChange, formKey string) (models.Receipt, error) {
	var receipt models.Receipt
	err := s.operate(ctx, actor, models.AuditPointsCorrected, func(c change) error {
		receipt = models.Receipt{}
		if err := c.openLedger(&receipt, in.TeamID, formKey); err != nil {
			return err
		}
		return c.book(&receipt, models.LedgerCorrection, in)
	})
	return receipt, err
}

// openLedger is ledgerOf for a form: errNothingToDo where it was posted before.
func (c change) openLedger(receipt *models.Receipt, team, formKey string) error {
	var err error
	if receipt.Balance, err = c.ledgerOf(team); err != nil {
		return err
	}
	posted, err := c.once(team, formKey, "done")
	if err == nil && posted != "" {
		return errNothingToDo
	}
	return err
}

// book adds an entry that an operator or a shop has asked for.
func (c change) book(receipt *models.Receipt, kind models.LedgerKind, in models.PointsChange) error {
	before := receipt.Balance
	// Both are far from where the sum would overflow.
	if after := before + in.Points; after > models.MaxBalance || after < -models.MaxBalance {
		return models.FieldErrors{"points": "The balance would pass " + models.FormatNumber(models.MaxBalance) + " points, as many as a team may have either way."}
	}
	receipt.At = c.now
	var err error
	receipt.Balance, err = addEntry(c.DB, models.LedgerEntry{
		TeamID: in.TeamID, At: c.now, Kind: kind, Points: in.Points, Reference: in.Reference, Note: in.Note,
		ActorID: c.event.ActorID, ActorName: c.event.ActorName,
	})
	if err != nil {
		return err
	}
	c.event.Detail = models.Count(in.Points, "point")
	for _, more := range []string{in.Reference, in.Note} {
		if more != "" {
			c.event.Detail += ", " + more
		}
	}
	c.tell(models.Notice{TeamID: in.TeamID})
	return c.changed("Balance", models.FormatNumber(before), models.FormatNumber(receipt.Balance))
}

// ledgerOf is where operators' deeds on a team's plan and points begin: it puts their
// event into the team's own log and returns the balance.
func (c change) ledgerOf(id string) (int64, error) {
	var team models.Team
	if err := c.Where("id = ?", id).Take(&team).Error; err != nil {
		return 0, err
	}
	c.event.TeamID = team.ID
	c.about("team", team.ID, team.Name)
	var balance int64
	err := c.Raw("SELECT balance FROM team_points WHERE team_id = ?", id).Scan(&balance).Error
	return balance, err
}
