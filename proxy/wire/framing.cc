#include "proxy/wire/framing.h"

#include <array>
#include <limits>

#include "proxy/wire/chars.h"

namespace fairlead::wire {
namespace {

constexpr std::string_view kContentLength = "Content-Length";
constexpr std::string_view kTransferEncoding = "Transfer-Encoding";
constexpr std::string_view kChunked = "chunked";
constexpr std::size_t kMaxLengthDigits = 19;

constexpr char fold(char c) {
  return is_class(c, chars::kDigit | chars::kAlpha) ? lower(c) : '-';
}

bool is_disguise(std::string_view name, std::string_view of) {
  return name.size() == of.size() && same_folded(name, of) && !iequals(name, of);
}

// Why a Transfer-Encoding is not served. One that has chunked anywhere but last, or twice, has no
// readable end (RFC 9112 6.1, 6.3); one that is no list of plain names is not a coding at all.
HeadError coding_error(std::string_view value) {
  HeadError error = HeadError::unsupported_transfer_coding;
  bool after_chunked = false;
  for (;;) {
    const std::size_t end = std::min(value.find(','), value.size());
    const std::string_view coding = trim(value.substr(0, end));
    if (!is_token(coding) || after_chunked) error = HeadError::malformed;
    after_chunked = iequals(coding, kChunked);
    if (end == value.size()) return error;
    value.remove_prefix(end + 1);
  }
}

HeadError check_coding(std::string_view value, int minor_version) {
  if (minor_version == 0) return HeadError::malformed;  // RFC 9112 6.1: faulty framing
  return iequals(value, kChunked) ? HeadError::none : coding_error(value);
}

Framing by_fields(const Fields& fields, Framing::Kind otherwise) {
  if (fields.find(kTransferEncoding)) return {Framing::Kind::chunked, 0};
  if (const Field* field = fields.find(kContentLength)) {
    if (const auto length = parse_length(field->value)) return {Framing::Kind::length, *length};
  }
  return {otherwise, 0};
}

}  // namespace

bool same_folded(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return fold(x) == fold(y); });
}

bool is_framing_name(std::string_view name) {
  return same_folded(name, kContentLength) || same_folded(name, kTransferEncoding);
}

bool is_framing_disguise(std::string_view name) {
  return is_disguise(name, kContentLength) || is_disguise(name, kTransferEncoding);
}

std::optional<std::uint64_t> parse_length(std::string_view text) {
  if (text.empty() || text.size() > kMaxLengthDigits) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;  // no sign, no list, no blanks
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (value > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) return std::nullopt;
  return value;
}

HeadError check_framing(const Fields& fields, int minor_version) {
  const Field* length = nullptr;
  const Field* coding = nullptr;
  for (const Field& field : fields) {
    if (is_framing_disguise(field.name)) return HeadError::malformed;
    if (iequals(field.name, kContentLength)) {
      // A repeated one is refused even when it agrees (RFC 9112 6.3 leaves the choice).
      if (length || !parse_length(field.value)) return HeadError::malformed;
      length = &field;
    } else if (iequals(field.name, kTransferEncoding)) {
      if (coding) return HeadError::malformed;
      coding = &field;
    }
  }
  return coding ? check_coding(coding->value, minor_version) : HeadError::none;
}

HeadError check_answer_framing(ResponseHead& head) {
  const auto refuse = [&head](const char* flaw, HeadError error = HeadError::malformed) {
    head.flaw = flaw;
    return error;
  };
  const Field* length = nullptr;
  const Field* coding = nullptr;
  for (const Field& field : head.fields) {
    if (iequals(field.name, kContentLength)) {
      const auto value = parse_length(field.value);
      if (!value) return refuse("its Content-Length is not a number");
      if (length && value != parse_length(length->value))
        return refuse("it has two different Content-Lengths");
      length = &field;
    } else if (iequals(field.name, kTransferEncoding)) {
      if (coding) return refuse("it has two Transfer-Encodings");
      coding = &field;
    }
  }
  if (!coding || iequals(coding->value, kChunked)) return HeadError::none;
  const HeadError error = coding_error(coding->value);
  return refuse(error == HeadError::malformed ? "its Transfer-Encoding is not valid"
                                              : "its transfer coding is not chunked",
                error);
}

Framing request_framing(const RequestHead& head) {
  return by_fields(head.fields, Framing::Kind::none);
}

ResponseFraming response_framing(const ResponseHead& head, std::string_view method) {
  const bool length = head.fields.find(kContentLength) != nullptr;
  const bool coding = head.fields.find(kTransferEncoding) != nullptr;
  if (length && coding)
    return {false, {}};  // RFC 9112 6.3, case 3: may be an attempt at response splitting
  Framing framing = by_fields(head.fields, Framing::Kind::until_close);
  // They must not announce a body (RFC 9110 8.6, RFC 9112 6.1); a length of 0 is common and
  // harmless, and a 304 may tell the length of what it stands for.
  if (head.status < 200 || head.status == 204) return {true, {}, coding || framing.length != 0};
  if (head.status == 304) return {true, {}, coding};
  if (method == "HEAD") return {};
  framing.padded = true;
  return {true, framing};
}

}  // namespace fairlead::wire
