package views

// RevealTemporaryPath answers the reader's temporary token.
const RevealTemporaryPath = ExplorerPath + "/temporary/reveal"
