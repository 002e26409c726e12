package usage

// Bound lets fewer teams be remembered.
func (m *Meter) Bound(most int) { m.most = most }

// Accounts is how many teams are remembered.
func (m *Meter) Accounts() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.accounts)
}
