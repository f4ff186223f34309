//go:build tools

// Package tools names the programs that the lab builds from this module.
package tools

import (
	_ "k8s.io/kubernetes/test/e2e"
	_ "k8s.io/kubernetes/test/images/agnhost"
)
