// SPDX-License-Identifier: Apache-2.0

/**
 * What becomes of a builtin of OPA: *native* to its WebAssembly runtime (or taken out by its compiler); *served* by this host;
 * *pinned*, served with the time of the decision as its clock; *refused*, since its answer is not a function of what is recorded.
 */
export type BuiltinClass = 'native' | 'served' | 'pinned' | 'refused';

const names = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Natives that are never undefined, and those that are no functions: what is left native when errors are to be seen. */
const INFALLIBLE = names(`
  assign eq equal gt gte internal.member_2 internal.member_3 internal.print internal.template_string is_array is_boolean is_null
  is_number is_object is_set is_string lt lte neq print rego.metadata.chain rego.metadata.rule type_name walk`);

/** Natives that can fail. */
const FALLIBLE = names(`
  abs all and any array.concat array.flatten array.reverse array.slice base64.decode base64.encode base64.is_valid base64url.decode
  base64url.encode bits.and bits.lsh bits.negate bits.or bits.rsh bits.xor ceil concat contains count div endswith floor format_int
  glob.match graph.reachable indexof intersection json.filter json.is_valid json.marshal json.remove json.unmarshal lower max min minus
  mul net.cidr_contains net.cidr_intersects net.cidr_overlap numbers.range object.filter object.get object.keys object.remove
  object.union object.union_n or plus product re_match regex.find_all_string_submatch_n regex.is_valid regex.match rem replace round
  set_diff sort split startswith strings.replace_n strings.reverse substring sum to_number trim trim_left trim_prefix trim_right
  trim_space trim_suffix union upper`);

const SERVED = names(`
  base64url.encode_no_pad cast_array cast_boolean cast_null cast_object cast_set cast_string crypto.hmac.equal crypto.hmac.md5
  crypto.hmac.sha1 crypto.hmac.sha256 crypto.hmac.sha512 crypto.md5 crypto.parse_private_keys crypto.sha1 crypto.sha256
  crypto.x509.parse_certificate_request crypto.x509.parse_certificates crypto.x509.parse_keypair crypto.x509.parse_rsa_private_key
  glob.quote_meta graph.reachable_paths graphql.is_valid graphql.parse graphql.parse_and_verify graphql.parse_query
  graphql.parse_schema graphql.schema_is_valid hex.decode hex.encode indexof_n io.jwt.decode io.jwt.verify_eddsa io.jwt.verify_es256
  io.jwt.verify_es384 io.jwt.verify_es512 io.jwt.verify_hs256 io.jwt.verify_hs384 io.jwt.verify_hs512 io.jwt.verify_ps256
  io.jwt.verify_ps384 io.jwt.verify_ps512 io.jwt.verify_rs256 io.jwt.verify_rs384 io.jwt.verify_rs512 json.marshal_with_options
  json.match_schema json.patch json.verify_schema net.cidr_contains_matches net.cidr_expand net.cidr_is_valid net.cidr_merge
  numbers.range_step object.subset regex.find_n regex.globs_match regex.replace regex.split regex.template_match rego.parse_module
  semver.compare semver.is_valid sprintf strings.any_prefix_match strings.any_suffix_match strings.count strings.render_template
  strings.split_n time.add_date time.clock time.date time.diff time.format time.parse_duration_ns time.parse_ns
  time.parse_rfc3339_ns time.weekday trace units.parse units.parse_bytes uri.is_valid uri.parse urlquery.decode
  urlquery.decode_object urlquery.encode urlquery.encode_object uuid.parse yaml.is_valid yaml.marshal yaml.unmarshal`);

const PINNED = names(`
  crypto.x509.parse_and_verify_certificates crypto.x509.parse_and_verify_certificates_with_options io.jwt.decode_verify time.now_ns`);

const WORLD = 'a rule cannot read the world: what it needs comes in input or with --data';
const RANDOM = 'a decision must be the same when it is repeated: derive what differs from input';
const SIGNS = 'a rule signs nothing: to verify, use io.jwt.verify_* or io.jwt.decode_verify';

/** What is refused, with what to do instead. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ['http.send', WORLD],
  ['internal.test_case', 'it is for tests: write a rule named test_… in a file …_test.rego'],
  ['io.jwt.encode_sign', SIGNS],
  ['io.jwt.encode_sign_raw', SIGNS],
  ['net.lookup_ip_addr', WORLD],
  ['opa.runtime', WORLD],
  ['providers.aws.sign_req', SIGNS],
  ['rand.intn', RANDOM],
  ['uuid.rfc4122', RANDOM],
]);

/** Every builtin of OPA and what becomes of it here. */
export const BUILTINS: ReadonlyMap<string, BuiltinClass> = new Map<string, BuiltinClass>([
  ...[...INFALLIBLE, ...FALLIBLE].map((name) => [name, 'native'] as const),
  ...SERVED.map((name) => [name, 'served'] as const),
  ...PINNED.map((name) => [name, 'pinned'] as const),
  ...[...REFUSED.keys()].map((name) => [name, 'refused'] as const),
]);

/** What to do instead of using a refused builtin; undefined for all others. */
export const insteadOf = (name: string): string | undefined => REFUSED.get(name);

/** The table as the compiler asks for it; see `programs/rego/request.go`. */
export const COMPILED = {
  native: [...INFALLIBLE, ...FALLIBLE],
  served: [...SERVED, ...PINNED],
  /** A test runs on OPA's own evaluator, whose clock and randomness are not ours: nothing more than a policy may call. */
  tests: [] as readonly string[],
  fallible: FALLIBLE,
  /** The native one stops on integers of more than 64 bits. */
  replaced: ['format_int'],
} satisfies Record<string, readonly string[]>;
