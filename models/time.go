package models

import "time"

// Time is a moment in Unix milliseconds, UTC; zero means never. Databases
// store it as an integer, so that order in the database is order in time.
type Time int64

// At converts t, cutting what is below a millisecond.
func At(t time.Time) Time { return Time(t.UnixMilli()) }

// Std converts to the standard library's time in UTC.
func (t Time) Std() time.Time { return time.UnixMilli(int64(t)).UTC() }

// IsZero tells whether t means never.
func (t Time) IsZero() bool { return t == 0 }

// Add returns t moved by d.
func (t Time) Add(d time.Duration) Time { return t + Time(d.Milliseconds()) }

// Sub returns the time between u and t.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t-u) * time.Millisecond }

// Hour is the beginning of t's hour in UTC.
func (t Time) Hour() Time { return t - t%Time(time.Hour.Milliseconds()) }

// Day is the beginning of t's day in UTC.
func (t Time) Day() Time { return t - t%Time(24*time.Hour.Milliseconds()) }
