// SPDX-License-Identifier: Apache-2.0

// Package args gives the program a name. The sandbox has no arguments, and klog reads the first when it is initialised;
// this package imports nothing but os and sorts before it, so Go initialises it first.
package args

import "os"

func init() {
	if len(os.Args) == 0 {
		os.Args = []string{"render"}
	}
}
