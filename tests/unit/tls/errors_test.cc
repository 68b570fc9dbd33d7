#include "tls/errors.h"

#include <openssl/err.h>

#include <cerrno>

#include "tests/support/catch.h"

namespace fairlead::tls {

TEST_CASE("errors: an empty queue gives an empty line", "[tls][errors]") {
  ERR_clear_error();
  REQUIRE(take_errors().empty());
}

TEST_CASE("errors: the queue is emptied into one line, repeats once", "[tls][errors]") {
  ERR_clear_error();
  ERR_raise(ERR_LIB_PEM, ERR_R_MALLOC_FAILURE);
  ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
  ERR_raise_data(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR, "two\nlines");
  REQUIRE(take_errors() == "malloc failure; internal error (two lines)");
  REQUIRE(take_errors().empty());
  REQUIRE(ERR_peek_error() == 0);
}

TEST_CASE("errors: a system error is the system's text", "[tls][errors]") {
  ERR_clear_error();
  ERR_raise(ERR_LIB_SYS, ENOENT);
  REQUIRE(take_errors() == "No such file or directory");
}

TEST_CASE("errors: an unknown code is still something to search for", "[tls][errors]") {
  ERR_clear_error();
  ERR_raise(ERR_LIB_USER, 1234);
  REQUIRE(take_errors().find("error:") == 0);
}

}  // namespace fairlead::tls
