// SPDX-License-Identifier: Apache-2.0

// Package arguments gives the program a name. There are no arguments in the sandbox, and k8s.io/klog takes the first when it is
// initialised. Go initialises packages by their paths as soon as what they import is, so this one, which imports but os, comes before.
package arguments

import "os"

func init() {
	if len(os.Args) == 0 {
		os.Args = []string{"kube"}
	}
}
