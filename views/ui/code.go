package ui

// CodePanel shows one program in several languages behind tabs. ID is also
// the name of its radio buttons, so two panels on a page need two IDs.
type CodePanel struct {
	ID string
	// What names the program for screen readers, before the language.
	What    string
	Samples []CodeSample
}

// CodeSample is the program in one language. Lang is curl, python, go, javascript, php,
// java, csharp or ruby: the style sheet knows these.
type CodeSample struct {
	Lang  string
	Title string
	Parts []CodePart
}

// CodeKind says how a part of code is shown.
type CodeKind int

// The kinds of code.
const (
	CodePlain CodeKind = iota
	CodeString
	CodeKeyword
	// CodeSlot is where the script fills in the value of the box marked with the same slot.
	CodeSlot
	// CodeRevealed is a value that the server has filled in.
	CodeRevealed
)

// CodePart is a piece of code of one kind.
type CodePart struct {
	Kind CodeKind
	Text string
}

// SecretSlot is the name that ties a masked box to the slots in code samples.
const SecretSlot = "client-secret"
