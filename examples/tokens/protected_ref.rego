# METADATA
# scope: package
# title: "Protected refs deploy"
# description: "What asks is a job of the shop on a protected ref."
# custom:
#   severity: high
#   controls: []
#   remedy: "deploy from a protected branch or tag, and give the job's token with --id-token"
package countersign.rules.job.protected_ref

import rego.v1

deny contains {"msg": "no job on a protected ref of shop/web asks for this"} if not _is_protected

_is_protected if {
	some token in input.context.oidc
	token.trust == "verified"
	token.norm.project == "shop/web"
	token.norm.refProtected == true
}
