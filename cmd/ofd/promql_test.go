package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// selector is one metric asked for, with its label matchers.
type selector struct {
	metric   string
	matchers []matcher
}

type matcher struct{ label, value string }

// promToken is one token of PromQL: a string, a range, a number with its unit,
// a name, an operator or a bracket.
var promToken = regexp.MustCompile(`^(?:"(?:[^"\\]|\\.)*"|\[[^\]]*\]|\d+(?:\.\d+)?(?:[smhdwy]|ms)?|[a-zA-Z_:][a-zA-Z0-9_:]*|=~|!~|==|!=|>=|<=|[-+*/%^><=(){},])`)

var promRange = regexp.MustCompile(`^\[(?:\d+[smhdwy]|\$__rate_interval)\]$`)

var promFunctions = []string{
	"sum", "min", "max", "avg", "count", "rate", "increase", "histogram_quantile", "time", "abs", "predict_linear", "avg_over_time",
}

var promWords = []string{"by", "without", "and", "or", "unless", "offset", "on", "ignoring", "bool"}

var promBeforeValue = strings.Fields("( , + - * / % ^ > < == != >= <= and or unless bool")

// selectorsOf finds the metrics of an expression, and says what cannot be
// PromQL: it knows brackets, what may follow what, and the functions we use,
// not types.
func selectorsOf(expr string) (all []selector, err error) {
	var tokens []string
	for rest := strings.TrimSpace(expr); rest != ""; rest = strings.TrimSpace(rest) {
		token := promToken.FindString(rest)
		if token == "" {
			return nil, fmt.Errorf("what is %.20q?", rest)
		}
		tokens, rest = append(tokens, token), rest[len(token):]
	}
	var open []string
	at := func(i int) string {
		if i < 0 || i >= len(tokens) {
			return ""
		}
		return tokens[i]
	}
	labels := false // inside the brackets of by (…)
	for i := 0; i < len(tokens); i++ {
		token := tokens[i]
		value := i == 0 || slices.Contains(promBeforeValue, at(i-1)) // one may begin here
		switch {
		case token == "(":
			open = append(open, token)
			labels = labels || slices.Contains([]string{"by", "without", "on", "ignoring"}, at(i-1))
		case token == ")":
			if len(open) == 0 || strings.ContainsAny(at(i-1), "+-*/%^><=,") {
				return nil, fmt.Errorf("nothing stands before a )")
			}
			open, labels = open[:len(open)-1], false
		case token == "{", token == "}":
			return nil, fmt.Errorf("a %s without a metric before it", token)
		case token[0] == '[':
			if !promRange.MatchString(token) {
				return nil, fmt.Errorf("%s is no range", token)
			}
		case labels, slices.Contains(promWords, token):
		case slices.Contains(promFunctions, token):
			if next := at(i + 1); next != "(" && next != "by" && next != "without" {
				return nil, fmt.Errorf("%s without its argument", token)
			}
		case regexp.MustCompile(`^[a-zA-Z_:]`).MatchString(token):
			if !value || at(i+1) == "(" {
				return nil, fmt.Errorf("%s stands where no metric can", token)
			}
			s := selector{metric: token}
			if at(i+1) == "{" {
				i++
				for at(i) != "}" {
					label, op, v := at(i+1), at(i+2), at(i+3)
					if !slices.Contains([]string{"=", "!=", "=~", "!~"}, op) || !strings.HasPrefix(v, `"`) {
						return nil, fmt.Errorf("%s{%s%s%s is no matcher", token, label, op, v)
					}
					s.matchers = append(s.matchers, matcher{label, strings.Trim(v, `"`)})
					if i += 4; at(i) != "," && at(i) != "}" {
						return nil, fmt.Errorf("the matchers of %s do not end", token)
					}
				}
			}
			all = append(all, s)
		case strings.ContainsAny(token, "+-*/%^><=") && token != "-":
			if value || at(i+1) == "" || at(i+1) == ")" {
				return nil, fmt.Errorf("%s lacks a side", token)
			}
		}
	}
	if len(open) > 0 {
		return nil, fmt.Errorf("%d brackets are open at the end", len(open))
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("it asks for no metric")
	}
	return all, nil
}

func TestSelectors(t *testing.T) {
	for _, tt := range []struct{ expr, want string }{
		{`up == 0`, "[{up []}]"},
		{`sum by (le, a) (rate(x_total{a="b", c=~"d|e"}[5m])) > 0.5`, "[{x_total [{a b} {c d|e}]}]"},
		{`a / b offset 1d`, "[{a []} {b []}]"},
		{`min(a{i=~"$i"}) - time()`, "[{a [{i $i}]}]"},
	} {
		if got, err := selectorsOf(tt.expr); err != nil || fmt.Sprint(got) != tt.want {
			t.Errorf("selectorsOf(%s) = %v, %v; want %s", tt.expr, got, err, tt.want)
		}
	}
	for _, bad := range []string{
		`sum(a`, `a)`, `sum(rate(a[5 m]))`, `a{b}`, `a{b="c"`, `{b="c"}`, `a >`, `> a`, `a b`, `rate a`, `medium(a)`, `sum()`, `a ; b`, `1 + 2`, `(a +)`,
	} {
		if got, err := selectorsOf(bad); err == nil {
			t.Errorf("selectorsOf(%s) = %v, want an error", bad, got)
		}
	}
}
