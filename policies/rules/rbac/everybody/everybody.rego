# METADATA
# scope: package
# title: "Nothing is given to everybody"
# description: "No binding gives a role to all users, to those who have not logged in, or to every service account."
# custom:
#   severity: critical
#   controls: [cis:5.1.1, nsa-cisa:authentication-and-authorization]
#   remedy: "name the users, groups or service accounts that need the role"
package countersign.rules.rbac.everybody

import data.countersign.lib.rbac
import rego.v1

_everybody := {"system:anonymous", "system:unauthenticated", "system:authenticated", "system:serviceaccounts"}

# What Kubernetes itself gives to everybody: to ask who one is, what there is, and by which key tokens are signed.
_harmless := {"system:basic-user", "system:discovery", "system:public-info-viewer", "system:service-account-issuer-discovery"}

deny contains rbac.malformed_binding[_]

deny contains {"msg": sprintf("the role is given to %q", [subject.name]), "path": sprintf("/subjects/%d", [subject.index])} if {
	some subject in rbac.subjects
	subject.name in _everybody
	not _is_harmless
}

# A rule of its own: negated in place, a reference that is undefined (a Role) would take the denial with it.
_is_harmless if rbac.cluster_role in _harmless
