//go:build tools

// Package tools names the program that build.sh builds, so that its version is kept in go.mod.
package tools

import _ "github.com/hashicorp/consul"
