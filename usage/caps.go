package usage

import (
	"context"
	"time"

	"github.com/latchkey/latchkey/models"
)

// application is what one application may spend in a day, and has spent.
type application struct {
	id     string
	known  fact
	usedAt time.Duration
	// limit is the cap, zero for none; used is what is stored of the day, unstored what is
	// not; held is kept for calls that run, of which there are open.
	limit                int64
	day                  models.Time
	used, unstored, held int64
	open                 int
}

// application needs a.mu.
func (a *account) application(id string) *application {
	app := a.apps[id]
	if app == nil {
		app = &application{id: id}
		a.apps[id] = app
	}
	app.usedAt = a.usedAt
	return app
}

// on begins a new day where it has come.
func (app *application) on(day models.Time) *application {
	if app.day != day {
		app.day, app.used, app.unstored = day, 0, 0
	}
	return app
}

func (app *application) spent() int64 { return app.used + app.unstored }

// knowCap is know for an application's cap. It needs a.mu.
func (m *Meter) knowCap(a *account, app *application, at time.Duration, now models.Time) (*flight, error) {
	app.on(now.Day())
	read, usable := app.known.due(at, a.spare(at))
	if read {
		m.fly(a, &app.known, func(ctx context.Context) error { return m.readCap(ctx, a, app) })
	}
	if usable {
		return nil, nil
	}
	return app.known.wait(read)
}

func (m *Meter) readCap(ctx context.Context, a *account, app *application) error {
	var day models.Time
	var used, limit int64
	return m.read(ctx, a, &app.known, func(ctx context.Context) (err error) {
		day = m.now().Day()
		used, limit, err = m.store.UsedToday(ctx, a.team, app.id)
		return err
	}, func() {
		app.limit = limit
		if app.on(m.now().Day()).day == day {
			app.used = used
		}
	})
}
