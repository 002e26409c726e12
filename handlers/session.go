package handlers

import (
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"
	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
)

const (
	sessionCookie = "latchkey_session"
	browserCookie = "latchkey_browser"
	themeCookie   = "latchkey_theme"
	yearSeconds   = 365 * 24 * 3600

	operatorIdle = time.Hour
	operatorMax  = 24 * time.Hour
)

// sessionStore keeps gorilla's sessions in the database. The cookie holds a signed
// random ID and nothing else; the row is found by the SHA-256 of that ID.
type sessionStore struct {
	store    *store.Store
	log      *slog.Logger
	keys     *secrets.Keys
	signers  atomic.Pointer[signers]
	prefix   string
	secure   bool
	idle     time.Duration
	longest  time.Duration
	now      func() time.Time
	lifetime int
}

// signers are made of one reading of the keys; the first one signs.
type signers struct {
	version uint64
	codecs  []securecookie.Codec
}

var _ sessions.Store = (*sessionStore)(nil)

// Keys of the values that a loaded session carries.
const (
	valueSession = "session"
	valueActor   = "actor"
)

func newSessionStore(deps Deps) *sessionStore {
	s := &sessionStore{
		store: deps.Store, log: deps.Log, keys: deps.Keys, secure: deps.HTTPS,
		idle: deps.SessionIdle, longest: deps.SessionMax, now: deps.Now, lifetime: int(deps.SessionMax.Seconds()),
	}
	if s.secure {
		s.prefix = "__Host-"
	}
	return s
}

// codecs follow the keys, which may be read again at any time.
func (s *sessionStore) codecs() []securecookie.Codec {
	version := s.keys.Version()
	if made := s.signers.Load(); made != nil && made.version == version {
		return made.codecs
	}
	made := &signers{version: version}
	for _, key := range s.keys.SessionKeys() {
		// The row in the database ends a session; the signature outlives it.
		made.codecs = append(made.codecs, securecookie.New(key, nil).MaxAge(yearSeconds))
	}
	s.signers.Store(made)
	return made.codecs
}

func (s *sessionStore) options(maxAge int) *sessions.Options {
	return &sessions.Options{Path: "/", MaxAge: maxAge, Secure: s.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// Get returns the session of the request, read once.
func (s *sessionStore) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(s, name)
}

// New loads the session that the cookie names. Without one that is good it
// returns an empty session with IsNew; an error means that the database cannot say.
func (s *sessionStore) New(r *http.Request, name string) (*sessions.Session, error) {
	session := sessions.NewSession(s, name)
	session.Options, session.IsNew = s.options(s.lifetime), true
	id := s.readID(r, name)
	if id.IsEmpty() {
		return session, nil
	}
	row, actor, err := s.store.Session(r.Context(), secrets.Hash(id))
	if errors.Is(err, models.ErrNotFound) {
		return session, nil
	}
	if err != nil {
		return session, err
	}
	if s.ended(row, actor) {
		s.note(s.store.EndSession(r.Context(), row.IDHash))
		return session, nil
	}
	session.ID, session.IsNew = id.Reveal(), false
	session.Values[valueSession], session.Values[valueActor] = row, actor
	s.note(s.store.SeeSession(r.Context(), row))
	return session, nil
}

// note logs what does not matter to the answer: a database that takes no writes
// still shows its pages.
func (s *sessionStore) note(err error) {
	if err != nil {
		s.log.Warn("session not updated", "error", err)
	}
}

// ended tells whether a session ran out of time. Operators have less of it.
func (s *sessionStore) ended(row models.Session, actor models.Actor) bool {
	idle, longest, now := s.idle, s.longest, models.At(s.now())
	if actor.Operator {
		idle, longest = min(idle, operatorIdle), min(longest, operatorMax)
	}
	return now.Sub(row.LastSeenAt) >= idle || now.Sub(row.CreatedAt) >= longest
}

// Save writes the cookie of a session, or ends it for a negative MaxAge.
func (s *sessionStore) Save(_ *http.Request, w http.ResponseWriter, session *sessions.Session) error {
	if session.Options.MaxAge < 0 {
		http.SetCookie(w, sessions.NewCookie(s.prefix+session.Name(), "", session.Options))
		return nil
	}
	encoded, err := securecookie.EncodeMulti(session.Name(), session.ID, s.codecs()...)
	if err != nil {
		return err
	}
	http.SetCookie(w, sessions.NewCookie(s.prefix+session.Name(), encoded, session.Options))
	return nil
}

// readID returns the random ID of a signed cookie, empty where there is none or
// its signature is not ours.
func (s *sessionStore) readID(r *http.Request, name string) models.Secret {
	return readSigned(r, s.prefix, name, s.codecs())
}

func readSigned(r *http.Request, prefix, name string, codecs []securecookie.Codec) models.Secret {
	cookie, err := r.Cookie(prefix + name)
	if err != nil {
		return models.Secret{}
	}
	var id string
	if err := securecookie.DecodeMulti(name, cookie.Value, &id, codecs...); err != nil {
		return models.Secret{}
	}
	return models.NewSecret(id)
}

// resignBrowser keeps a browser known whose cookie was signed with a key that is on its way
// out. Sessions end by themselves before that key goes.
func (s *sessionStore) resignBrowser(c echo.Context) error {
	codecs := s.codecs()
	if len(codecs) == 1 || !readSigned(c.Request(), s.prefix, browserCookie, codecs[:1]).IsEmpty() {
		return nil
	}
	id := readSigned(c.Request(), s.prefix, browserCookie, codecs[1:])
	if id.IsEmpty() {
		return nil
	}
	session := sessions.NewSession(s, browserCookie)
	session.ID, session.Options = id.Reveal(), s.options(yearSeconds)
	return s.Save(c.Request(), c.Response(), session)
}

// hasCookie tells whether the browser sent a session cookie, good or not.
func (s *sessionStore) hasCookie(r *http.Request) bool {
	_, err := r.Cookie(s.prefix + sessionCookie)
	return err == nil
}

// current returns the session of the request and who acts in it; ok is false
// where nobody is signed in.
func (h *Handlers) current(c echo.Context) (row models.Session, actor models.Actor, ok bool, err error) {
	if actor, ok = c.Get(keyActor).(models.Actor); ok {
		return sessionOf(c), actor, true, nil
	}
	session, err := h.sessions.Get(c.Request(), sessionCookie)
	if err != nil || session.IsNew {
		return models.Session{}, models.Actor{}, false, err
	}
	row, _ = session.Values[valueSession].(models.Session)
	actor, ok = session.Values[valueActor].(models.Actor)
	actor.Address, actor.UserAgent, actor.RequestID = c.RealIP(), middleware.UserAgent(c), middleware.ID(c)
	return row, actor, ok, nil
}

// begin gives the browser a session under a new ID. save stores it beside the
// rows that it replaces; the cookies are written only when that worked.
func (h *Handlers) begin(c echo.Context, session models.Session, save func(session models.Session, before, browser []byte) error) error {
	id := secrets.Code()
	browser := h.sessions.readID(c.Request(), browserCookie)
	if browser.IsEmpty() {
		browser = secrets.Code()
	}
	before := secrets.Hash(h.sessions.readID(c.Request(), sessionCookie))
	session.IDHash, session.Address, session.Browser = secrets.Hash(id), c.RealIP(), middleware.UserAgent(c)
	if err := save(session, before, secrets.Hash(browser)); err != nil {
		return err
	}
	for name, cookie := range map[string]struct {
		id     models.Secret
		maxAge int
	}{sessionCookie: {id, h.sessions.lifetime}, browserCookie: {browser, yearSeconds}} {
		s := sessions.NewSession(h.sessions, name)
		s.ID, s.Options = cookie.id.Reveal(), h.sessions.options(cookie.maxAge)
		if err := h.sessions.Save(c.Request(), c.Response(), s); err != nil {
			return err
		}
	}
	return nil
}

// renew gives the session of the request a new ID in the change that save makes. From
// then on the answer speaks for that one.
func (h *Handlers) renew(c echo.Context, save func(renewal *store.Renewal) error) error {
	return h.begin(c, sessionOf(c), func(session models.Session, before, _ []byte) error {
		renewal := store.Renewal{Session: session, Before: before}
		if err := save(&renewal); err != nil {
			return err
		}
		c.Set(keySession, renewal.Session)
		return nil
	})
}

// dropCookie tells the browser to forget its session.
func (h *Handlers) dropCookie(c echo.Context) error {
	session := sessions.NewSession(h.sessions, sessionCookie)
	session.Options = h.sessions.options(-1)
	return h.sessions.Save(c.Request(), c.Response(), session)
}
