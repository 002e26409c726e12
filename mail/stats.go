package mail

// Stats is what a mailer has done so far; Waiting messages are still to be sent.
type Stats struct{ Waiting, Sent, GivenUp int64 }

// Stats says how the mailer does.
func (m *Mailer) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Stats{Waiting: int64(len(m.waiting)), Sent: m.sent.Load(), GivenUp: m.givenUp.Load()}
}
