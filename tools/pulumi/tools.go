//go:build tools

// Package tools pins the Pulumi engine for machines that cannot download the official release.
package tools

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
