//go:build tools

// Package tools pins Pulumi's language host of YAML, with which the tests run the YAML example.
package tools

import _ "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml"
