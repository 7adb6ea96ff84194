package httpapi

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

const apiDescription = "What `logiqc serve` answers: the same calls that the command line makes, under the same rules.\n\n" +
	"A failure is a problem (RFC 9457); its `code` is the error code of the command line. Times are RFC 3339 in UTC, " +
	"lengths of time such as `15m`. Fields of answers are only ever added; a field of a request that means nothing is refused.\n\n" +
	"A change carries `given: true` once somebody agreed to it, or `dry_run: true`; with neither it is a preview, and answers " +
	"`confirmation_required`. A `request_id` with `remember: true` makes a retry return the first outcome."

// tagDescriptions say what the calls below a path are about.
var tagDescriptions = map[string]string{
	"audit":         "The evidence of the audit log: bytes, for a client to check by itself",
	"events":        "The audit log, to be read",
	"health":        "Whether the server is there",
	"mfa":           "Resets, requests for approval, enforcement, enrolment codes and figures",
	"policy":        "The organisation's settings",
	"second-factor": "The second factor of users whose password an application keeps",
	"session":       "Whose session or token it is, and the way out",
	"sessions":      "Live sessions",
	"signin":        "The way in, in stages: for people, and for applications that pass their users' sign-ins on",
	"tokens":        "API tokens",
	"users":         "Accounts",
}

// describe is how the API is set up: JSON in, JSON out, described in OpenAPI.
func describe(version string) huma.Config {
	c := huma.DefaultConfig("logiqc", version)
	c.Info.Description = apiDescription
	c.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	c.Servers = []*huma.Server{{URL: "/"}}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"bearer": {
		Type: "http", Scheme: "bearer", Description: "A session (lqs_…) or a token (lqc_…)",
	}}
	c.OpenAPIPath, c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", "", nil
	c.AllowAdditionalPropertiesByDefault = true
	c.Formats = map[string]huma.Format{
		"application/json": {Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: strict},
		"json":             {Marshal: huma.DefaultJSONFormat.Marshal}, // what ends in +json
	}
	c.RejectUnknownQueryParameters = true
	for t, alias := range map[reflect.Type]reflect.Type{
		reflect.TypeFor[logiqc.Time]():   reflect.TypeFor[timeSchema](),
		reflect.TypeFor[logiqc.OnOff]():  reflect.TypeFor[onOffSchema](),
		reflect.TypeFor[logiqc.Hash]():   reflect.TypeFor[hashSchema](),
		reflect.TypeFor[logiqc.Secret](): reflect.TypeFor[string](),
		reflect.TypeFor[duration]():      reflect.TypeFor[durationSchema](),
		reflect.TypeFor[timeOrNone]():    reflect.TypeFor[timeOrNoneSchema](),
		reflect.TypeFor[policy]():        reflect.TypeFor[map[string]string](),
	} {
		c.Components.Schemas.RegisterTypeAlias(t, alias)
	}
	return c
}

type timeSchema struct{}

// Schema implements [huma.SchemaProvider].
func (timeSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time", Nullable: true, Description: "RFC 3339; null is never"}
}

type timeOrNoneSchema struct{}

// Schema implements [huma.SchemaProvider].
func (timeOrNoneSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Description: "RFC 3339, or none"}
}

type onOffSchema struct{}

// Schema implements [huma.SchemaProvider].
func (onOffSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Enum: []any{"on", "off"}}
}

type hashSchema struct{}

// Schema implements [huma.SchemaProvider].
func (hashSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, ContentEncoding: "base64", Description: "SHA-256, in base64"}
}

type durationSchema struct{}

// Schema implements [huma.SchemaProvider].
func (durationSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Description: "Such as 90s, 15m, 72h; 0s is the default", Examples: []any{"15m"}}
}

// described completes an operation with what all have in common.
func described(api huma.API, op huma.Operation) huma.Operation {
	group, _, _ := strings.Cut(strings.TrimPrefix(op.Path, "/v1/"), "/")
	op.Tags = []string{group}
	failure := func(words string) *huma.Response {
		schema := api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[problem](), true, "")
		return &huma.Response{Description: words, Content: map[string]*huma.MediaType{problemType: {Schema: schema}}}
	}
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	op.Responses["4XX"] = failure("Refused: code says why, and the exit status of the command line with it")
	op.Responses["5XX"] = failure("It could not be done; unavailable: nothing was changed")
	return op
}

// describeRest adds to the description what no route says by itself.
func describeRest(doc *huma.OpenAPI) {
	says := func(kind string, s *huma.Schema) map[string]*huma.MediaType {
		return map[string]*huma.MediaType{kind: {Schema: s}}
	}
	ok := says("application/json", &huma.Schema{Type: huma.TypeObject, Required: []string{"status"},
		Properties: map[string]*huma.Schema{"status": {Type: huma.TypeString}}})
	no := says(problemType, doc.Components.Schemas.Schema(reflect.TypeFor[problem](), true, ""))
	for path, words := range map[string]string{"/healthz": "Tell that the server runs", "/readyz": "Tell whether the store can be used"} {
		id := strings.Trim(path, "/")
		op := &huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Summary: words, Tags: []string{"health"},
			Security: []map[string][]string{}, Responses: map[string]*huma.Response{
				"200": {Description: "Yes", Content: ok}, "503": {Description: "No", Content: no},
				"4XX": {Description: "Too many requests came from there", Content: no},
			}}
		doc.AddOperation(op)
	}
	tags := map[string]bool{}
	asked, answered := map[string]bool{}, map[string]bool{}
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Delete} {
			if op == nil {
				continue
			}
			tags[op.Tags[0]] = true
			if op.RequestBody != nil {
				reach(doc, op.RequestBody.Content, asked)
			}
			for _, r := range op.Responses {
				reach(doc, r.Content, answered)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		doc.Tags = append(doc.Tags, &huma.Tag{Name: name, Description: tagDescriptions[name]})
	}
	for ref := range asked {
		if !answered[ref] {
			takeLess(doc.Components.Schemas, ref)
		}
	}
	for ref := range answered {
		maybeNull(doc.Components.Schemas, ref)
	}
}

// document serves the description, which is made when it is first asked for.
func document(doc *huma.OpenAPI) http.HandlerFunc {
	made := sync.OnceValues(func() ([]byte, error) { return json.Marshal(doc) })
	return func(w http.ResponseWriter, _ *http.Request) {
		text, err := made()
		if err != nil {
			problemOf(internal()).write(w)
			return
		}
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(text)
	}
}

// reach notes the schemas that content is made of.
func reach(doc *huma.OpenAPI, content map[string]*huma.MediaType, seen map[string]bool) {
	var walk func(s *huma.Schema)
	walk = func(s *huma.Schema) {
		if s == nil {
			return
		}
		if s.Ref != "" {
			if !seen[s.Ref] {
				seen[s.Ref] = true
				walk(doc.Components.Schemas.SchemaFromRef(s.Ref))
			}
			return
		}
		for _, p := range s.Properties {
			walk(p)
		}
		for _, p := range s.AnyOf {
			walk(p)
		}
		walk(s.Items)
	}
	for _, m := range content {
		walk(m.Schema)
	}
}

// takeLess says of what is asked that nothing has to be in it but what is
// marked so, and that nothing else may.
func takeLess(schemas huma.Registry, ref string) {
	s, t := schemas.SchemaFromRef(ref), schemas.TypeFromRef(ref)
	s.AdditionalProperties = false
	s.Required = slices.DeleteFunc(s.Required, func(name string) bool { return fieldOf(t, name).Tag.Get("required") != "true" })
}

// maybeNull says of an answer which of its objects may be null.
func maybeNull(schemas huma.Registry, ref string) {
	s, t := schemas.SchemaFromRef(ref), schemas.TypeFromRef(ref)
	for name, p := range s.Properties {
		if p.Ref != "" && fieldOf(t, name).Type.Kind() == reflect.Pointer && slices.Contains(s.Required, name) {
			s.Properties[name] = &huma.Schema{AnyOf: []*huma.Schema{p, {Type: "null"}}}
		}
	}
}

// fieldOf is the field of a struct that JSON calls name.
func fieldOf(t reflect.Type, name string) (found reflect.StructField) {
	for _, f := range reflect.VisibleFields(t) {
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if tag == name && (found.Name == "" || len(f.Index) < len(found.Index)) {
			found = f
		}
	}
	return found
}
