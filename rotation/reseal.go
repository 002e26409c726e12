package rotation

import (
	"context"
	"fmt"
	"strings"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

// shownDamaged is how many values that do not open are named.
const shownDamaged = 5

// pass is one look through all values of the old keys.
type pass struct {
	*Rotation
	names  secrets.KeyNames
	tables []string
	// table, key and after are where it is.
	table, key int
	after      string
	damaged    []string
}

// resealAll seals anew what old keys sealed, in steps. It names values that do not open: while there
// are any the old keys stay.
func (r *Rotation) resealAll(ctx context.Context, names secrets.KeyNames) (damaged string, err error) {
	p := &pass{Rotation: r, names: names, tables: r.Store.SealedTables()}
	if err := r.Rest(ctx, p.step); err != nil || len(p.damaged) == 0 {
		return "", err
	}
	named := strings.Join(p.damaged[:min(len(p.damaged), shownDamaged)], ", ")
	return fmt.Sprintf("%s with no key, replace or remove what they belong to: %s", models.Count(int64(len(p.damaged)), "value")+" cannot be opened", named), nil
}

// step is one read and at most one small transaction.
func (p *pass) step(ctx context.Context) (done bool, err error) {
	if p.table == len(p.tables) {
		return true, nil
	}
	table, old := p.tables[p.table], p.names.Old()[p.key]
	values, err := p.Store.SealedValues(ctx, table, secrets.SealPrefix(old), p.after)
	if err != nil {
		return false, err
	}
	if len(values) == 0 {
		p.after = ""
		if p.key++; p.key == len(p.names.Old()) {
			p.table, p.key = p.table+1, 0
		}
		return false, nil
	}
	p.after = values[len(values)-1].ID
	return false, p.Store.Reseal(ctx, table, p.anew(table, values))
}

func (p *pass) anew(table string, values []models.SealedValue) []models.SealedValue {
	var anew []models.SealedValue
	for _, value := range values {
		sealed, err := p.Keys.Reseal(value.Sealed, secrets.Place{Table: table, Column: "sealed", Row: value.ID})
		switch {
		case err != nil:
			p.damaged = append(p.damaged, table+" "+value.ID)
		case sealed != nil:
			value.Anew = sealed
			anew = append(anew, value)
		}
	}
	return anew
}
