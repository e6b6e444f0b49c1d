package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// What tags may be; roles have the narrowest rule of all that is tagged.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_Tag.html
var (
	tagKey   = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+@-]{1,128}$`)
	tagValue = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+@-]{0,256}$`)
)

// longestAlarm limits the characters of an alarm's name. See
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
const longestAlarm = 255

// longestComment leaves room for the summary of changes, a line of 700 characters, in
// the 1,000 of a value of a pipeline's configuration. See
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ActionDeclaration.html
const longestComment = 1000 - len("\n") - 700

// checkLimits refuses texts of an environment that AWS does not take.
func (l *loading) checkLimits(e *Environment) {
	for _, key := range slices.Sorted(maps.Keys(e.Tags)) {
		switch at := e.Path.Key("Tags").Key(key); {
		case !tagKey.MatchString(key):
			l.errorf(at, "tag-key", "this is no key of a tag: 1 to 128 letters, digits, spaces and _.:/=+-@")
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			l.errorf(at, "tag-key", "AWS reserves keys of tags that begin with aws:")
		case !tagValue.MatchString(e.Tags[key]):
			l.errorf(at, "tag-value", "this is no value of a tag: up to 256 letters, digits, spaces and _.:/=+-@")
		}
	}
	if e.Bake != nil {
		for i, alarm := range e.Bake.Alarms {
			if n := utf8.RuneCountInString(alarm); n > longestAlarm {
				l.errorf(e.Path.Key("Wave").Key("Bake").Key("Alarms").Index(i), "alarm-name", "a name of an alarm has up to %d characters, this one %d", longestAlarm, n)
			}
		}
	}
	if e.Approval != nil {
		if n := utf8.RuneCountInString(e.Approval.Comment); n > longestComment {
			l.errorf(e.Path.Key("Approval").Key("Comment"), "approval-comment", "a comment has up to %d characters, this one %d: CodePipeline shows 1000, with what changes", longestComment, n)
		}
	}
}
