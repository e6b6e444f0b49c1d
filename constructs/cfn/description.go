package cfn

import "regexp"

// longestDescription is the limit of a security group and its rules.
const longestDescription = 255

// notDescription is what EC2 does not accept in one.
var notDescription = regexp.MustCompile(`[^a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]`)

// Description returns a text as the description of a security group or a rule: a file
// may call a source what it likes, and names may be long.
func Description(text string) string {
	text = notDescription.ReplaceAllString(text, "_")
	return text[:min(len(text), longestDescription)]
}
