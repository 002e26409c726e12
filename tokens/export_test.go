package tokens

import "time"

// Trusted is a cache that a feed will never come and distrust.
func Trusted() *Cache {
	c := NewCache()
	c.trust(int64(1000*time.Hour), true)
	return c
}

// Holds counts what the cache remembers.
func (c *Cache) Holds() (tokens, clients int) {
	return c.tokens.EstimatedSize(), c.clients.EstimatedSize()
}

// Applications counts what it remembers of them.
func (c *Cache) Applications() int { return c.applications.EstimatedSize() }

// IsTrusted tells whether the cache is used.
func (c *Cache) IsTrusted() bool { return c.trusted() }
