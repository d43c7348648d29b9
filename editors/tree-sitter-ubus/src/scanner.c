// The tokens of the language, as `unifiedbus_dsl/syntax/lexer.py` and `parse.py` find them.
#include "tree_sitter/parser.h"
#include "tokens.h"

#include <string.h>

#define LONGEST 64
#define DEEPEST 200
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

// The brackets that are open: true for those of a block, inside of which a line end ends a statement.
typedef struct { uint8_t depth; uint8_t is_block[DEEPEST]; } Open;

void *tree_sitter_ubus_external_scanner_create(void) { return calloc(1, sizeof(Open)); }
void tree_sitter_ubus_external_scanner_destroy(void *state) { free(state); }
unsigned tree_sitter_ubus_external_scanner_serialize(void *state, char *buffer) {
  const Open *open = state;
  memcpy(buffer, open->is_block, open->depth);
  return open->depth;
}
void tree_sitter_ubus_external_scanner_deserialize(void *state, const char *buffer, unsigned length) {
  Open *open = state;
  open->depth = (uint8_t)length;
  if (length) memcpy(open->is_block, buffer, length);
}

static bool is_letter(int32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
static bool is_digit(int32_t c) { return c >= '0' && c <= '9'; }
static bool is_micro(int32_t c) { return c == 0xb5 || c == 0x3bc; }
static bool is_blank(int32_t c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v' || c == 0xfeff; }

static bool found(TSLexer *lexer, enum Token token) {
  lexer->result_symbol = token;
  return true;
}

// A word is put into `word`, cut where it is longer than any that is known.
static void read_word(TSLexer *lexer, char *word, bool of_unit) {
  unsigned length = 0;
  while (is_letter(lexer->lookahead) || is_digit(lexer->lookahead) || (of_unit && is_micro(lexer->lookahead))) {
    if (length < LONGEST - 1) word[length++] = is_micro(lexer->lookahead) ? 'u' : (char)lexer->lookahead;
    lexer->advance(lexer, false);
  }
  word[length] = 0;
}

static int keyword(const char *word) {
  for (unsigned i = 0; i < COUNT(keywords); i++)
    if (!strcmp(word, keywords[i].text)) return keywords[i].token;
  return -1;
}

static bool is_width(const char *word) {
  if (word[0] != 'x' || !word[1]) return false;
  for (const char *at = word + 1; *at; at++)
    if (!is_digit(*at)) return false;
  return true;
}

static bool scan_word(TSLexer *lexer, const bool *legal) {
  char word[LONGEST];
  bool plain = !is_micro(lexer->lookahead);
  read_word(lexer, word, legal[T_UNIT]);
  lexer->mark_end(lexer);
  int known = keyword(word);
  if (legal[T_UNIT] && known < 0) {
    if (lexer->lookahead == '/') {
      char below[LONGEST];
      lexer->advance(lexer, false);
      read_word(lexer, below, true);
      for (unsigned i = 0; i < COUNT(units); i++)
        if (!strcmp(below, units[i])) lexer->mark_end(lexer);
    }
    return found(lexer, T_UNIT);
  }
  if (!plain) return false;
  if (known >= 0 && legal[known]) return found(lexer, (enum Token)known);
  if (legal[T_WIDTH] && is_width(word)) return found(lexer, T_WIDTH);
  return legal[T_NAME] && found(lexer, T_NAME);
}

static void read_digits(TSLexer *lexer) {
  while (is_digit(lexer->lookahead) || lexer->lookahead == '_') lexer->advance(lexer, false);
  lexer->mark_end(lexer);
}

static bool scan_number(TSLexer *lexer, const bool *legal) {
  if (!legal[T_NUMBER]) return false;
  read_digits(lexer);
  if (lexer->lookahead == '.') {
    lexer->advance(lexer, false);
    if (!is_digit(lexer->lookahead)) return found(lexer, T_NUMBER);
    while (is_digit(lexer->lookahead)) lexer->advance(lexer, false);
    lexer->mark_end(lexer);
  }
  if (lexer->lookahead == 'e' || lexer->lookahead == 'E') {
    lexer->advance(lexer, false);
    if (lexer->lookahead == '+' || lexer->lookahead == '-') lexer->advance(lexer, false);
    if (is_digit(lexer->lookahead)) {
      while (is_digit(lexer->lookahead)) lexer->advance(lexer, false);
      lexer->mark_end(lexer);
    }
  }
  return found(lexer, T_NUMBER);
}

static bool scan_string(TSLexer *lexer, const bool *legal) {
  if (!legal[T_STRING]) return false;
  lexer->advance(lexer, false);
  while (lexer->lookahead != '"') {
    if (lexer->eof(lexer) || lexer->lookahead == '\n') return false;
    if (lexer->lookahead == '\\') lexer->advance(lexer, false);
    if (!lexer->eof(lexer)) lexer->advance(lexer, false);
  }
  lexer->advance(lexer, false);
  lexer->mark_end(lexer);
  return found(lexer, T_STRING);
}

// The longest sign that begins here; no two letters of one are put back, as what is left is marked.
static bool scan_sign(TSLexer *lexer, const bool *legal) {
  char text[4] = {0};
  int best = -1;
  if (lexer->lookahead == '{') {
    lexer->advance(lexer, false);
    lexer->mark_end(lexer);
    return found(lexer, legal[T_LBRACE_] ? T_LBRACE_ : T_RECORD_);
  }
  for (unsigned length = 0; length < 3 && lexer->lookahead < 0x80; length++) {
    text[length] = (char)lexer->lookahead;
    bool begins = false;
    for (unsigned i = 0; i < COUNT(signs); i++) begins = begins || !strncmp(signs[i].text, text, length + 1);
    if (!begins) break;
    lexer->advance(lexer, false);
    for (unsigned i = 0; i < COUNT(signs); i++)
      if (!strcmp(signs[i].text, text) && legal[signs[i].token]) {
        best = signs[i].token;
        lexer->mark_end(lexer);
      }
  }
  return best >= 0 && found(lexer, (enum Token)best);
}

// What a line begins with that goes on with the statement above it, where it can stand.
static const char *const clauses[] = {"over", "for", "where", "as", "to", "else", "then", "within", "and", "or", "differs", "by"};

static bool goes_on(TSLexer *lexer, const bool *legal, bool *word_read, char *word) {
  if (is_letter(lexer->lookahead)) {
    read_word(lexer, word, false);
    *word_read = true;
    for (unsigned i = 0; i < COUNT(clauses); i++) {
      if (strcmp(word, clauses[i]) || !legal[keyword(word)]) continue;
      if (strcmp(word, "to") && strcmp(word, "differs") && strcmp(word, "by")) return true;
      while (lexer->lookahead == ' ' || lexer->lookahead == '\t') lexer->advance(lexer, false);
      return lexer->lookahead != ':' && lexer->lookahead != '=' && lexer->lookahead != '[';
    }
    return false;
  }
  return (lexer->lookahead == '|' && legal[T_UNION]);
}

// The end of a line: the end of a statement where one can end, unless what follows goes on with it.
static bool scan_line_end(TSLexer *lexer, const bool *legal) {
  lexer->mark_end(lexer);
  bool semicolon = lexer->lookahead == ';';
  while (is_blank(lexer->lookahead) || lexer->lookahead == '\n' || lexer->lookahead == ';' || lexer->lookahead == '#') {
    if (lexer->lookahead == '#')
      while (!lexer->eof(lexer) && lexer->lookahead != '\n') lexer->advance(lexer, true);
    else
      lexer->advance(lexer, true);
  }
  if (semicolon) return found(lexer, T_NL_);
  char word[LONGEST];
  bool word_read = false;
  if (lexer->lookahead == '-') {
    lexer->advance(lexer, false);
    int token = -1;
    for (unsigned i = 0; i < COUNT(signs); i++)
      if ((lexer->lookahead == '-' && !strcmp(signs[i].text, "--")) || (lexer->lookahead == '>' && !strcmp(signs[i].text, "->")))
        token = signs[i].token;
    if (token >= 0 && legal[token]) {
      lexer->advance(lexer, false);
      lexer->mark_end(lexer);
      return found(lexer, (enum Token)token);
    }
    return found(lexer, T_NL_);
  }
  if (!goes_on(lexer, legal, &word_read, word)) return found(lexer, T_NL_);
  if (!word_read) {
    lexer->advance(lexer, false);
    lexer->mark_end(lexer);
    return found(lexer, T_UNION);
  }
  lexer->mark_end(lexer);
  return found(lexer, (enum Token)keyword(word));
}

static bool scan(TSLexer *lexer, const bool *legal, bool in_brackets) {
  bool recovering = legal[T_NL_] && legal[T_UNIT] && legal[T_WIDTH];
  for (;;) {
    if (is_blank(lexer->lookahead)) lexer->advance(lexer, true);
    else if (lexer->lookahead != '\n' && lexer->lookahead != ';') break;
    else if (legal[T_NL_] && !recovering && !in_brackets) return scan_line_end(lexer, legal);
    else if (recovering) { lexer->advance(lexer, false); lexer->mark_end(lexer); return found(lexer, T_NL_); }
    else lexer->advance(lexer, true);
  }
  if (lexer->eof(lexer)) return false;
  if (lexer->lookahead == '#') {
    while (!lexer->eof(lexer) && lexer->lookahead != '\n') lexer->advance(lexer, false);
    lexer->mark_end(lexer);
    return found(lexer, T_COMMENT);
  }
  if (legal[T_UNIT] && !recovering && lexer->lookahead == '%') {
    lexer->advance(lexer, false);
    lexer->mark_end(lexer);
    return found(lexer, T_UNIT);
  }
  if (is_letter(lexer->lookahead) || (legal[T_UNIT] && is_micro(lexer->lookahead))) return scan_word(lexer, legal);
  if (is_digit(lexer->lookahead)) return scan_number(lexer, legal);
  if (lexer->lookahead == '"') return scan_string(lexer, legal);
  return scan_sign(lexer, legal);
}

bool tree_sitter_ubus_external_scanner_scan(void *state, TSLexer *lexer, const bool *legal) {
  Open *open = state;
  if (!scan(lexer, legal, open->depth && !open->is_block[open->depth - 1])) return false;
  switch (lexer->result_symbol) {
    case T_LPAR: case T_LSQB: case T_RECORD_: case T_LBRACE_:
      if (open->depth < DEEPEST) open->is_block[open->depth++] = lexer->result_symbol == T_LBRACE_;
      break;
    case T_RPAR: case T_RSQB: case T_RBRACE:
      if (open->depth) open->depth--;
      break;
  }
  return true;
}
