# METADATA
# scope: package
# title: "Roles lead to no other rights"
# description: "No Role or ClusterRole allows to escalate, to bind or impersonate whomever, to make tokens or certificates for others, or to speak with nodes as their kubelet does."
# custom:
#   severity: high
#   controls: [cis:5.1.8, cis:5.1.10, cis:5.1.11, cis:5.1.13]
#   remedy: "take the verb or resource out; where it is needed, list in resourceNames what it is needed for; to read metrics of nodes use nodes/metrics"
package countersign.rules.rbac.escalation

import data.countersign.lib.rbac
import rego.v1

# Ways from one's own rights to those of others. `named` ones are bounded by resourceNames, where these name nobody who may do all.
_ways := [
	{"verbs": {"escalate"}, "group": "rbac.authorization.k8s.io", "resources": {"roles", "clusterroles"}, "named": false},
	{"verbs": {"bind"}, "group": "rbac.authorization.k8s.io", "resources": {"roles", "clusterroles"}, "named": true},
	{"verbs": {"create"}, "group": "", "resources": {"serviceaccounts/token"}, "named": true},
	{"verbs": {"approve", "sign"}, "group": "certificates.k8s.io", "resources": {"signers"}, "named": true},
]

_impersonations := {"impersonate", "impersonate:user-info", "impersonate:serviceaccount", "impersonate:arbitrary-node"}

# Whom all verbs allow to act as: by `impersonate` in the first group, by the narrower verbs in the second.
_actors := [
	{"group": "", "resources": {"users", "groups", "serviceaccounts"}},
	{"group": "authentication.k8s.io", "resources": {"users", "groups", "serviceaccounts", "uids", "userextras", "nodes"}},
]

# A certificate of the last signer may name any user.
_almighty := {"cluster-admin", "system:masters", "kubernetes.io/kube-apiserver-client", "kubernetes.io/*"}

deny contains rbac.malformed_role[_]

deny contains {"msg": sprintf("rule %d allows to %s %s", [entry.index, _said(verb), resource]), "path": sprintf("/rules/%d/verbs", [entry.index])} if {
	some entry in rbac.rules
	some way in _ways
	some verb in entry.rule.verbs
	verb in (way.verbs | {"*"})
	some resource in entry.rule.resources
	_covers(entry.rule, resource, way)
	not _is_bounded(way, entry.rule)
}

deny contains {"msg": sprintf("rule %d allows to %s", [entry.index, verb]), "path": sprintf("/rules/%d/verbs", [entry.index])} if {
	some entry in rbac.rules
	some verb in _impersonating(entry.rule)
	not _is_bounded({"named": true}, entry.rule)
}

# With any verb: a GET upgrades to a stream, and runs commands in every pod of the node.
deny contains {"msg": sprintf("rule %d allows nodes/proxy", [entry.index]), "path": sprintf("/rules/%d/resources", [entry.index])} if {
	some entry in rbac.rules
	_allows_node_proxy(entry.rule)
}

_allows_node_proxy(rule) if "nodes/proxy" in rule.resources

# Nodes are in no namespace, so that a Role which allows all of one does not reach them.
_allows_node_proxy(rule) if {
	rbac.is_cluster_role
	some resource in rule.resources
	_covers(rule, resource, {"group": "", "resources": {"nodes/proxy"}})
}

_said(verb) := verb if verb != "*"

_said("*") := "do all with"

_impersonating(rule) := {verb | some verb in rule.verbs; verb in _impersonations} | {"impersonate" | _may_impersonate_by_star(rule)}

_may_impersonate_by_star(rule) if {
	"*" in rule.verbs
	some actors in _actors
	_is_of_group(rule, actors.group)
	some resource in rule.resources
	_covers(rule, _without_key(resource), actors)
}

# `userextras/scopes` is one key of userextras.
_without_key(resource) := "userextras" if startswith(resource, "userextras/")

_without_key(resource) := resource if not startswith(resource, "userextras/")

_covers(_, resource, way) if resource in way.resources

_covers(rule, resource, way) if {
	_is_of_group(rule, way.group)
	some one in way.resources
	resource in _wildcards(one)
}

# A rule without groups is refused by the API server; until then it counts for any.
_is_of_group(rule, group) if group in rule.apiGroups

_is_of_group(rule, _) if "*" in rule.apiGroups

_is_of_group(rule, _) if rule.apiGroups == []

# What stands for a resource in a rule beside its own name: all, and all subresources of that name.
_wildcards(resource) := {"*"} | {sprintf("*/%s", [part]) | some i, part in split(resource, "/"); i == 1}

_is_bounded(way, rule) if {
	way.named
	count(rule.resourceNames) > 0
	every name in rule.resourceNames { not name in _almighty }
}
