package store

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/latchkey/latchkey/models"
)

// storable is a text as PostgreSQL can hold it: without NUL and what is no UTF-8. What
// browsers and programs say of themselves may be anything.
func storable(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// storableEvent has an event hold what can be read again, so that its hash is over that.
func storableEvent(event *models.AuditEvent) {
	for _, text := range []*string{
		&event.ActorName, &event.Target, &event.TargetID, &event.Detail, &event.Changes, &event.Address, &event.UserAgent, &event.RequestID,
	} {
		*text = storable(*text)
	}
}

// storableTexts has every text parameter written so. What nobody can have stored finds nothing.
func storableTexts(_ context.Context, conn *pgx.Conn) error {
	conn.TypeMap().RegisterType(&pgtype.Type{Name: "text", OID: pgtype.TextOID, Codec: storableCodec{}})
	return nil
}

type storableCodec struct{ pgtype.TextCodec }

// PlanEncode implements pgtype.Codec.
func (c storableCodec) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	if _, ok := value.(string); ok {
		return storablePlan{}
	}
	return c.TextCodec.PlanEncode(m, oid, format, value)
}

type storablePlan struct{}

// Encode implements pgtype.EncodePlan.
func (storablePlan) Encode(value any, buf []byte) ([]byte, error) {
	return append(buf, storable(value.(string))...), nil //nolint:forcetypeassert // see PlanEncode
}
