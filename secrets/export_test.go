package secrets

import "time"

// What the external tests need to see from inside.

func LeakedPasswords() []string { return leaked() }

func (p Place) AssociatedData() []byte { return p.associatedData() }

// Occupy takes all slots until release is called.
func (p *Passwords) Occupy() (release func()) {
	for range cap(p.slots) {
		p.slots <- struct{}{}
	}
	return func() {
		for range cap(p.slots) {
			<-p.slots
		}
	}
}

// ParseHash returns what is believed of a stored hash.
func ParseHash(text string) (memory, passes uint32, threads uint8, salt, key int, err error) {
	h, err := parseHash(text)
	return h.params.memory, h.params.time, h.params.threads, len(h.salt), len(h.key), err
}

const Deadline = 50 * time.Millisecond
