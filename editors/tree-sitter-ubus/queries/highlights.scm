; Made by build.py from grammar/ubus.lark: change that.
(comment) @comment
(string) @string
(number) @number
(unit) @type.builtin
(width) @constant
(kind) @keyword
(identifier) @variable
(type . (kind) . (identifier) @type)
(protocol . (identifier) @type)
(link . (identifier) @type)
(system . (identifier) @module)
(type_name (identifier) @type)
(port . (identifier) @property)
(field . (identifier) @property)
(param . (identifier) @variable.parameter)
(named . (identifier) @variable.parameter)
(call . (name (identifier) @function))
(annotation (identifier) @attribute)
["all" "along" "analyze" "and" "any" "as" "bidir" "by" "cables" "collapse" "color" "connect" "decreasing" "degrade" "differs" "div" "else" "except" "expect" "explore" "extends" "fail" "false" "fold" "for" "from" "hide" "if" "in" "increasing" "keep" "label" "layout" "let" "link" "maximize" "minimize" "mod" "model" "name" "not" "of" "open" "or" "over" "place" "port" "protocol" "require" "sample" "scenario" "set" "show" "spare" "step" "system" "theme" "then" "title" "to" "traffic" "transit" "true" "ubus" "use" "vary" "view" "where" "within" "workload"] @keyword
["!=" "*" "+" "," "-" "--" "->" "." ".." "..<" "/" ":" "<" "<=" "=" "==" ">" ">=" "@" "^" "|"] @operator
["(" ")" "[" "]" "{" "}"] @punctuation.bracket
