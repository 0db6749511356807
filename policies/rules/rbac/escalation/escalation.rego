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
	{"verbs": {"escalate"}, "resources": {"roles", "clusterroles"}, "named": false},
	{"verbs": {"bind"}, "resources": {"roles", "clusterroles"}, "named": true},
	{"verbs": {"create"}, "resources": {"serviceaccounts/token"}, "named": true},
	{"verbs": {"approve", "sign"}, "resources": {"signers"}, "named": true},
]

_impersonations := {"impersonate", "impersonate:user-info", "impersonate:serviceaccount", "impersonate:arbitrary-node"}

# A certificate of the last signer may name any user.
_almighty := {"cluster-admin", "system:masters", "kubernetes.io/kube-apiserver-client", "kubernetes.io/*"}

deny contains rbac.malformed_role[_]

deny contains {"msg": sprintf("rule %d allows to %s %s", [entry.index, verb, resource]), "path": sprintf("/rules/%d/verbs", [entry.index])} if {
	some entry in rbac.rules
	some way in _ways
	some verb in entry.rule.verbs
	verb in way.verbs
	some resource in entry.rule.resources
	_covers(resource, way.resources)
	not _is_bounded(way, entry.rule)
}

deny contains {"msg": sprintf("rule %d allows to %s", [entry.index, verb]), "path": sprintf("/rules/%d/verbs", [entry.index])} if {
	some entry in rbac.rules
	some verb in entry.rule.verbs
	verb in _impersonations
	not _is_bounded({"named": true}, entry.rule)
}

# With any verb: a GET upgrades to a stream, and runs commands in every pod of the node.
deny contains {"msg": sprintf("rule %d allows nodes/proxy", [entry.index]), "path": sprintf("/rules/%d/resources", [entry.index])} if {
	some entry in rbac.rules
	"nodes/proxy" in entry.rule.resources
}

_covers(resource, resources) if resource in resources

_covers(resource, _) if resource == "*"

_is_bounded(way, rule) if {
	way.named
	count(rule.resourceNames) > 0
	every name in rule.resourceNames { not name in _almighty }
}
