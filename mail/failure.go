package mail

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net"
	"net/textproto"
	"os"
	"strconv"
	"strings"
	"unicode"

	gomail "github.com/wneessen/go-mail"
)

// failure is why a mail did not go out. Its text is for the log: it never quotes what
// a server may have taken from the mail.
type failure struct {
	stage string
	// code is the server's: "550 5.1.1".
	code string
	// said is the server's answer, or the error of the connection.
	said string
	// quotable tells that said came before the mail was handed over.
	quotable bool
	// ofServer concerns every mail, final does not pass by itself.
	ofServer, final bool
}

func (f *failure) Error() string {
	switch {
	case f.quotable && f.said != "":
		return f.stage + ": " + f.said
	case f.code != "":
		return f.stage + ": " + f.code
	}
	return f.stage
}

// quoted is the failure with all that the server said.
func (f *failure) quoted() error {
	whole := *f
	whole.quotable = true
	return &whole
}

var stages = map[gomail.SendErrReason]string{
	gomail.ErrSMTPMailFrom: "the mail server refused the sender", gomail.ErrSMTPRcptTo: "the mail server refused the recipient",
}

func (a *attempt) failed(err error) *failure {
	var refused *gomail.SendError
	if errors.As(err, &refused) && refused.ErrorCode() != 0 {
		stage, ok := stages[refused.Reason]
		if !ok {
			stage = "the mail server refused the mail"
		}
		code := strings.TrimSpace(strconv.Itoa(refused.ErrorCode()) + " " + refused.EnhancedStatusCode())
		return &failure{
			stage: stage, code: code, said: a.clean(answerOf(refused)),
			ofServer: refused.ErrorCode() == 421, final: refused.ErrorCode() >= 500,
		}
	}
	f := &failure{stage: "the mail server cannot be used", said: a.clean(answerIn(err)), ofServer: true, quotable: true}
	var answer *textproto.Error
	var untrusted *tls.CertificateVerificationError
	var timeout net.Error
	switch {
	case errors.As(err, &untrusted):
		f.stage, f.said, f.final = "the mail server's certificate is not trusted", a.clean(untrusted.Err.Error()), true
	case a.signingIn && errors.As(err, &answer):
		f.stage, f.final = "the mail server refused the user and password", answer.Code >= 500
	case errors.Is(err, errNotLoopback), errors.Is(err, errNoMechanism):
		f.final = true
	case errors.As(err, &answer):
		f.final = answer.Code >= 500
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, net.ErrClosed):
		f.stage, f.said = "the mail server did not answer in time", ""
	}
	return f
}

// answerIn is the server's own answer in an error, or else all of it.
func answerIn(err error) string {
	var answer *textproto.Error
	if errors.As(err, &answer) {
		return strconv.Itoa(answer.Code) + " " + answer.Msg
	}
	return err.Error()
}

// answerOf is the server's answer without what the library puts around it.
func answerOf(refused *gomail.SendError) string {
	text, code := refused.Error(), strconv.Itoa(refused.ErrorCode())
	if at := strings.Index(text, code); at >= 0 {
		text = text[at:]
	}
	text, _, _ = strings.Cut(text, ", affected ")
	return strings.ReplaceAll(text, `"`, "")
}

const longestAnswer = 300

// clean makes one short line of what a server said, without the password, should it
// have sent that back.
func (a *attempt) clean(text string) string {
	user, password := a.server.User, a.server.Password.Reveal()
	if password != "" {
		for _, secret := range []string{
			base64.StdEncoding.EncodeToString([]byte("\x00" + user + "\x00" + password)),
			base64.StdEncoding.EncodeToString([]byte(password)), password,
		} {
			text = strings.ReplaceAll(text, secret, a.server.Password.String())
		}
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, " "))
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > longestAnswer {
		text = strings.ToValidUTF8(text[:longestAnswer], "") + "…"
	}
	return text
}
