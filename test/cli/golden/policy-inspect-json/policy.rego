# METADATA
# title: All of it
# scope: package
package authz

import data.lib.roles

default allow := false

# METADATA
# title: Access
# entrypoint: true
# scope: document
allow if roles.admin[lower(input.user)]

most(x) := max(x)
