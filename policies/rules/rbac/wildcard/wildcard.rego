# METADATA
# scope: package
# title: "Roles name what they allow"
# description: "No rule of a Role or ClusterRole allows all verbs, resources or API groups, and no ClusterRole gathers one that does."
# custom:
#   severity: high
#   controls: [cis:5.1.3]
#   remedy: "list the verbs, resources and API groups that are needed, and gather ClusterRoles by a label of your own"
package countersign.rules.rbac.wildcard

import data.countersign.lib.rbac
import rego.v1

deny contains rbac.malformed_role[_]

deny contains {"msg": sprintf("rule %d allows all %s", [entry.index, field]), "path": sprintf("/rules/%d/%s", [entry.index, field])} if {
	some entry in rbac.rules
	some field in ["verbs", "resources", "apiGroups", "nonResourceURLs"]
	some item in entry.rule[field]
	_is_all(field, item)
}

deny contains {"msg": sprintf("selector %d gathers cluster-admin, which allows all", [i]), "path": sprintf("/aggregationRule/clusterRoleSelectors/%d", [i])} if {
	some i, selector in _selectors
	_selects_admin(_object(selector))
}

_is_all(field, item) if {
	field != "nonResourceURLs"
	contains(item, "*")
}

# Stars at the end stand for any rest of the path, however many; with more than a slash before them they bound it.
_is_all("nonResourceURLs", item) if {
	endswith(item, "*")
	trim_right(item, "*") in {"", "/"}
}

deny contains {"msg": "aggregationRule is not a list of selectors", "path": "/aggregationRule"} if {
	rbac.is_cluster_role
	not _is_aggregation(object.get(input.object, "aggregationRule", null))
}

_selectors := input.object.aggregationRule.clusterRoleSelectors if {
	rbac.is_cluster_role
	is_array(input.object.aggregationRule.clusterRoleSelectors)
}

# What the API server puts on every role of its own, cluster-admin among them.
_labels := {"kubernetes.io/bootstrapping": "rbac-defaults"}

# All terms of a selector must hold, so an empty one selects every role there is. A term that cannot be read holds.
_selects_admin(selector) if {
	every key, value in _object(object.get(selector, "matchLabels", {})) { object.get(_labels, key, null) == value }
	every term in _list(object.get(selector, "matchExpressions", [])) { not _excludes_admin(term) }
}

_excludes_admin(term) if {
	term.operator == "In"
	not object.get(_labels, term.key, null) in term.values
}

_excludes_admin(term) if {
	term.operator == "NotIn"
	_labels[term.key] in term.values
}

_excludes_admin(term) if {
	term.operator == "Exists"
	not _labels[term.key]
}

_excludes_admin(term) if {
	term.operator == "DoesNotExist"
	_labels[term.key]
}

_object(value) := value if is_object(value)

_object(value) := {} if not is_object(value)

_list(value) := value if is_array(value)

_list(value) := [] if not is_array(value)

_is_aggregation(value) if value == null

_is_aggregation(value) if {
	is_object(value)
	selectors := object.get(value, "clusterRoleSelectors", null)
	_is_list_or_null(selectors)
}

_is_list_or_null(value) if value == null

_is_list_or_null(value) if is_array(value)
