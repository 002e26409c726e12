package store

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// Webhook finds the webhook of a team, without its secret. One that is not set gives
// models.ErrNotFound.
func (s *Store) Webhook(ctx context.Context, team string) (models.Webhook, error) {
	var hook models.Webhook
	err := s.read(ctx).Omit("sealed").Where("team_id = ?", team).Take(&hook).Error
	return hook, translate(err)
}

// SetWebhook has events of the actor's team sent to an address. The first time they are
// signed with the secret sealed here, which stays when the address changes.
func (s *Store) SetWebhook(ctx context.Context, actor models.Actor, address string, sealed []byte) error {
	return s.write(ctx, actor, models.AuditWebhookSet, func(c change) error {
		before, err := c.webhook(actor.TeamID)
		if err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
			return err
		}
		if before.URL == address {
			return errNothingToDo
		}
		c.aboutWebhook(actor, address)
		if err := c.changed("Address", before.Host(), models.WebhookHost(address)); err != nil {
			return err
		}
		if before.URL != "" {
			return c.Exec("UPDATE webhooks SET url = ? WHERE team_id = ?", address, actor.TeamID).Error
		}
		if err := c.sealedOpen(sealed); err != nil {
			return err
		}
		return c.Create(&models.Webhook{TeamID: actor.TeamID, URL: address, Sealed: sealed, SecretAt: c.now, CreatedAt: c.now, CreatedBy: actor.UserID}).Error
	})
}

func (c change) webhook(team string) (models.Webhook, error) {
	var hook models.Webhook
	err := c.Where("team_id = ?", team).Take(&hook).Error
	return hook, err
}

// aboutWebhook names a webhook without the part of its address that may be a secret.
func (c change) aboutWebhook(actor models.Actor, address string) {
	c.about("webhook", actor.TeamID, models.WebhookHost(address))
}

// RemoveWebhook ends the webhook of the actor's team, and with it all its deliveries.
// Where there is none, nothing changes.
func (s *Store) RemoveWebhook(ctx context.Context, actor models.Actor) error {
	return s.write(ctx, actor, models.AuditWebhookRemoved, func(c change) error {
		hook, err := c.webhook(actor.TeamID)
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return errNothingToDo
		}
		if err != nil {
			return err
		}
		c.aboutWebhook(actor, hook.URL)
		if err := c.Exec("DELETE FROM webhook_deliveries WHERE team_id = ?", actor.TeamID).Error; err != nil {
			return err
		}
		return c.Exec("DELETE FROM webhooks WHERE team_id = ?", actor.TeamID).Error
	})
}

// RotateWebhookSecret signs deliveries with another secret from now on, those that wait
// included. A form that is posted twice does so once.
func (s *Store) RotateWebhookSecret(ctx context.Context, actor models.Actor, sealed []byte, formKey string) error {
	return s.write(ctx, actor, models.AuditWebhookSecretRotated, func(c change) error {
		hook, err := c.webhook(actor.TeamID)
		if err != nil {
			return err
		}
		earlier, err := c.once(actor.TeamID, formKey, "rotated")
		if err != nil {
			return err
		}
		if earlier != "" {
			return errNothingToDo
		}
		c.aboutWebhook(actor, hook.URL)
		if err := c.sealedOpen(sealed); err != nil {
			return err
		}
		return c.Exec("UPDATE webhooks SET sealed = ?, secret_at = ? WHERE team_id = ?", sealed, c.now, actor.TeamID).Error
	})
}

// RevealWebhookSecret records that the signing secret is shown and then returns the
// webhook with it.
func (s *Store) RevealWebhookSecret(ctx context.Context, actor models.Actor) (models.Webhook, error) {
	var hook models.Webhook
	err := s.write(ctx, actor, models.AuditWebhookSecretShown, func(c change) error {
		var err error
		if hook, err = c.webhook(actor.TeamID); err != nil {
			return err
		}
		c.aboutWebhook(actor, hook.URL)
		return nil
	})
	return hook, err
}

// TestWebhook queues a test event for the actor's team. models.ErrBusy means that too
// many deliveries wait already.
func (s *Store) TestWebhook(ctx context.Context, actor models.Actor, body func(now models.Time) (string, error)) error {
	return s.write(ctx, actor, models.AuditWebhookTested, func(c change) error {
		hook, err := c.webhook(actor.TeamID)
		if err != nil {
			return err
		}
		c.aboutWebhook(actor, hook.URL)
		waiting, err := openQueue(c.DB, actor.TeamID, c.now)
		if err != nil {
			return err
		}
		if waiting.room <= 0 {
			return models.ErrBusy
		}
		text, err := body(c.now)
		if err != nil {
			return err
		}
		return waiting.add(models.EventTest, text)
	})
}
