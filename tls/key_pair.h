#pragma once
// A certificate with its chain and its key out of PEM text, and whether they go together. For the
// .cc files of this folder only.

#include <string>
#include <vector>

#include "tls/handle.h"

namespace fairlead::tls {

struct KeyPair {
  CertificatePtr leaf;
  std::vector<CertificatePtr> chain;  // what follows the leaf, as it came
  KeyPtr key;
  // What is wrong with which file; with either of them the pair is of no use.
  std::string certificate_error;
  std::string key_error;

  bool good() const { return certificate_error.empty() && key_error.empty(); }
};

// Never asks for a passphrase. A pair is good when both can be read, the key is the leaf's, the
// leaf comes first, and no certificate stands before the one it was issued by where that is in the
// file (RFC 5246 7.4.2).
KeyPair read_key_pair(const std::string& certificate, const std::string& key);

// "CN" or the first name of a certificate, for messages.
std::string short_name(const X509* certificate);

// "" or why the file cannot be read; 1 MiB at most.
std::string read_pem_file(const std::string& path, std::string& text);

}  // namespace fairlead::tls
