package cluster

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
)

// The variables name the database and the job of a process that is one.
const holdVariable, jobVariable = "LATCHKEY_TEST_HOLD", "LATCHKEY_TEST_JOB"

func someTime() models.Time { return models.At(time.Date(2026, 11, 23, 16, 0, 0, 0, time.UTC)) }

// hold is a process that is at the job until it is killed.
func hold(address string) {
	s, err := store.Open(address, someTime)
	if err != nil {
		panic(err)
	}
	ran, err := s.Alone(context.Background(), os.Getenv(jobVariable), func(ctx context.Context) error {
		fmt.Println("holds") //nolint:forbidigo // what the parent reads
		<-ctx.Done()
		fmt.Println("lost") //nolint:forbidigo // as above
		return nil
	})
	if err != nil || !ran {
		panic(fmt.Sprint(ran, err))
	}
}

// holder starts such a process and returns once it is at the job.
func holder(t *testing.T, address, job string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), holdVariable+"="+address, jobVariable+"="+job)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "holds" {
		t.Fatalf("the process says %q", lines.Text())
	}
	return cmd, lines
}

// A job runs once at a time, and goes on elsewhere within 15 seconds when whoever is at it is
// killed, stands still or is cut off: who is still alive learns that it is not theirs.
func TestJobsRunOnce(t *testing.T) {
	name := database.create(t)
	address := database.address("127.0.0.1:"+database.port, name)
	s, err := store.Open(address, someTime)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for _, end := range []struct {
		name  string
		end   func(cmd *exec.Cmd, r *relay)
		after func(cmd *exec.Cmd)
		lives bool
	}{
		{"killed", func(cmd *exec.Cmd, _ *relay) { _ = cmd.Process.Kill() }, func(*exec.Cmd) {}, false},
		{"frozen", func(cmd *exec.Cmd, _ *relay) { _ = cmd.Process.Signal(syscall.SIGSTOP) }, func(cmd *exec.Cmd) { _ = cmd.Process.Signal(syscall.SIGCONT) }, true},
		{"cut off", func(_ *exec.Cmd, r *relay) { r.cut() }, func(*exec.Cmd) {}, true},
	} {
		t.Run(end.name, func(t *testing.T) {
			t.Parallel()
			relay := newRelay(t, "127.0.0.1:"+database.port)
			cmd, lines := holder(t, database.address(relay.address(), name), end.name)
			ran := func() bool {
				ran, err := s.Alone(t.Context(), end.name, func(context.Context) error { return nil })
				if err != nil {
					t.Error(err)
				}
				return ran
			}
			if ran() {
				t.Fatal("two are at the job")
			}
			end.end(cmd, relay)
			began := time.Now()
			for !ran() {
				if time.Since(began) > 15*time.Second {
					t.Fatal("nobody else can run the job")
				}
				time.Sleep(100 * time.Millisecond)
			}
			t.Logf("another runs the job after %s", time.Since(began).Round(100*time.Millisecond))
			end.after(cmd)
			if end.lives && (!lines.Scan() || lines.Text() != "lost") {
				t.Errorf("who lost the job says %q", lines.Text())
			}
		})
	}
}
