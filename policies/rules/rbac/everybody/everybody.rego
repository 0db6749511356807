# METADATA
# scope: package
# title: "Nothing is given to everybody"
# description: "No binding gives a role to all users, to those who have not logged in, or to every service account, and the roles that Kubernetes gives to everybody stay as harmless as they are."
# custom:
#   severity: critical
#   controls: [cis:5.1.1, nsa-cisa:authentication-and-authorization]
#   remedy: "name the users, groups or service accounts that need the role; give a ClusterRole of your own another name than those of Kubernetes"
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

# The bindings of these names are there in every cluster, so that whoever writes such a role gives it to everybody.
deny contains rbac.malformed_role[_] if _is_given_by_kubernetes

deny contains {"msg": sprintf("rule %d is given to everybody, since Kubernetes binds %q to all", [entry.index, input.object.metadata.name]), "path": sprintf("/rules/%d", [entry.index])} if {
	_is_given_by_kubernetes
	some entry in rbac.rules
	count(entry.rule.resources) > 0
	not _is_about_oneself(entry.rule)
}

# What it gathers would be written into it by a controller, and not be judged again.
deny contains {"msg": sprintf("%q gathers the rules of others, and Kubernetes binds it to all", [input.object.metadata.name]), "path": "/aggregationRule"} if {
	_is_given_by_kubernetes
	object.get(input.object, "aggregationRule", null) != null
}

_is_given_by_kubernetes if {
	rbac.is_cluster_role
	input.object.metadata.name in _harmless
}

_is_about_oneself(rule) if {
	count(rule.apiGroups) > 0
	every group in rule.apiGroups { group in {"authorization.k8s.io", "authentication.k8s.io"} }
}

# A rule of its own: negated in place, a reference that is undefined (a Role) would take the denial with it.
_is_harmless if rbac.cluster_role in _harmless
