package store

import (
	"strconv"
	"strings"

	"gorm.io/gorm"
)

// dialect is the SQL of one database, by gorm's name. Queries are the same on both; what
// cannot be is one of the words below.
type dialect string

const (
	onSQLite   dialect = "sqlite"
	onPostgres dialect = "postgres"
)

func dialectOf(tx *gorm.DB) dialect { return dialect(tx.Name()) }

// index names the index that SQLite is to use: without statistics it may choose another.
func (d dialect) index(name string) string {
	if d == onSQLite {
		return " INDEXED BY " + name
	}
	return ""
}

// crossJoin keeps SQLite from going through the tables in another order than written.
func (d dialect) crossJoin() string {
	if d == onSQLite {
		return " CROSS JOIN "
	}
	return " JOIN "
}

// tables lists the tables that exist.
func (d dialect) tables() string {
	if d == onSQLite {
		return "(SELECT name FROM sqlite_schema WHERE type = 'table') AS tables"
	}
	return "(SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()) AS tables"
}

// place is the column by which a row is found again in the same statement.
func (d dialect) place() string {
	if d == onSQLite {
		return "rowid"
	}
	return "ctid"
}

// written is the column of ledger_entries that grows with each entry.
func (d dialect) written() string {
	if d == onSQLite {
		return "rowid"
	}
	return "seq"
}

// folded is a name without regard to the case of ASCII letters, for the order of lists.
func (d dialect) folded(column string) string {
	if d == onSQLite {
		return column + " COLLATE NOCASE"
	}
	return "LOWER(" + column + ")"
}

// locking keeps the rows of a table that a query reads, in its order, until the commit.
func (d dialect) locking(table string) string {
	if d == onSQLite {
		return "" // there is one writer
	}
	return " FOR UPDATE OF " + table
}

// elements makes a table j with the column value of a parameter that is a JSON list.
func (d dialect) elements() string {
	if d == onSQLite {
		return "json_each(?) AS j"
	}
	return "jsonb_array_elements(CAST(? AS jsonb)) AS j (value)"
}

// numbered writes the parameters of a query as the driver takes them. A query that goes
// past gorm holds no question mark but these; see each for (SELECT ?).
func (d dialect) numbered(query string) string {
	if d == onSQLite {
		return query
	}
	var text strings.Builder
	for i, part := range strings.Split(strings.ReplaceAll(query, "(SELECT ?)", "?"), "?") {
		if i > 0 {
			text.WriteString("$" + strconv.Itoa(i))
		}
		text.WriteString(part)
	}
	return text.String()
}
