// Package ui holds the components that pages are made of, one to one with the
// design's ui.mjs: icons, buttons, fields, tables, dialogs. It knows no word of
// the domain: what a component shows comes in through its parameters.
package ui
