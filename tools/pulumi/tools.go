//go:build tools

// Package tools pins the Pulumi engine for machines that cannot download the official release, and the language host of YAML for the tests.
package tools

import (
	_ "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml"
	_ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
)
