# METADATA
# scope: package
# title: Objects have an owner
# description: Each workload carries the label "owner", so that somebody answers at night.
# custom:
#   severity: medium
#   controls: []
#   remedy: set metadata.labels.owner to the team that runs it
package countersign.rules.custom.require_owner

import rego.v1

_kinds := {"Deployment", "StatefulSet", "DaemonSet", "CronJob"}

deny contains {"msg": "the label \"owner\" is missing", "path": "/metadata"} if {
	input.object.kind in _kinds
	object.get(input.object, ["metadata", "labels", "owner"], "") == ""
}
