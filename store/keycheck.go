package store

import (
	"context"

	"gorm.io/gorm"
)

// KeyCheckID is the row of the one sealed value that tells whether a key file
// fits this database.
const KeyCheckID = "key-check"

// KeyCheck returns that sealed value, empty where the database is new or not
// migrated yet.
func (s *Store) KeyCheck(ctx context.Context) ([]byte, error) {
	var tables int64
	err := s.read(ctx).Raw("SELECT COUNT(*) FROM " + s.sql.tables() + " WHERE name = 'key_checks'").Scan(&tables).Error
	if err != nil || tables == 0 {
		return nil, translate(err)
	}
	var row struct{ Sealed []byte }
	err = s.read(ctx).Raw("SELECT sealed FROM key_checks WHERE id = ?", KeyCheckID).Scan(&row).Error
	return row.Sealed, translate(err)
}

// SaveKeyCheck stores it once, at the first start. Of several processes that start at once,
// one stores its own: whoever calls this reads KeyCheck afterwards.
func (s *Store) SaveKeyCheck(ctx context.Context, sealed []byte) error {
	return s.touch(ctx, func(tx *gorm.DB) error {
		return tx.Exec("INSERT INTO key_checks (id, sealed) VALUES (?, ?) ON CONFLICT DO NOTHING", KeyCheckID, sealed).Error
	})
}

// CheckWritable tells whether the database takes writes, without changing it.
func (s *Store) CheckWritable(ctx context.Context) error {
	return s.touch(ctx, func(tx *gorm.DB) error {
		return tx.Exec("UPDATE key_checks SET id = id WHERE id = ?", KeyCheckID).Error
	})
}
