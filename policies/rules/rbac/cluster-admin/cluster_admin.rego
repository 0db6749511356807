# METADATA
# scope: package
# title: "Nobody is bound to cluster-admin"
# description: "No binding gives the role cluster-admin, in the cluster or in one namespace."
# custom:
#   severity: high
#   controls: [cis:5.1.1]
#   remedy: "bind a role that names what is needed; for one namespace the role admin"
package countersign.rules.rbac.cluster_admin

import data.countersign.lib.rbac
import rego.v1

deny contains rbac.malformed_binding[_]

deny contains {"msg": "the binding gives cluster-admin, which allows all", "path": "/roleRef/name"} if {
	rbac.cluster_role == "cluster-admin"
}
