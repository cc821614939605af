#include "pgdba/host/certificates.hpp"

#include "pgdba/host/files.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

constexpr int kMost = 100; // certificates of one file: a bundle of authorities has more

enum Field : std::size_t {
	kKind,
	kFile,
	kPlace,
	kSubject,
	kIssuer,
	kNotBefore,
	kNotAfter,
	kProblem,
	kFields
};
constexpr std::pair<const char *, Type> kColumns[kFields] = {
	{"kind", Type::kText},           {"file", Type::kText},    {"place", Type::kInt8},
	{"subject", Type::kText},        {"issuer", Type::kText},  {"not_before", Type::kTimestamp},
	{"not_after", Type::kTimestamp}, {"problem", Type::kText},
};

struct Free {
	void operator()(BIO *bio) const noexcept { BIO_free(bio); }
	void operator()(X509 *certificate) const noexcept { X509_free(certificate); }
};

std::string text_of(const X509_NAME *name) {
	const std::unique_ptr<BIO, Free> memory(BIO_new(BIO_s_mem()));
	if (!memory || X509_NAME_print_ex(memory.get(), name, 0, XN_FLAG_RFC2253) < 0)
		return {};
	const char *data = nullptr;
	const long length = BIO_get_mem_data(memory.get(), &data);
	return valid_utf8({data, static_cast<std::size_t>(length)});
}

void set_time(Sample &sample, std::size_t row, Field field, const ASN1_TIME *time) {
	std::tm parts{};
	if (ASN1_TIME_to_tm(time, &parts) == 1)
		sample.set_int(row, field, timegm(&parts) * kMicrosPerSecond - kUnixTimeOfEpoch);
}

std::size_t add_row(Sample &sample, const std::string &kind, const std::string &file) {
	const std::size_t row = sample.add_row();
	sample.set_text(row, kKind, kind);
	sample.set_text(row, kFile, valid_utf8(file));
	return row;
}

void add_file(Sample &sample, const std::string &kind, const std::string &file) {
	const std::string content = read_small_file(file);
	const std::unique_ptr<BIO, Free> memory(
		BIO_new_mem_buf(content.data(), static_cast<int>(content.size())));
	int place = 0;
	while (memory && place < kMost) {
		const std::unique_ptr<X509, Free> certificate(
			PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr));
		if (!certificate)
			break;
		const std::size_t row = add_row(sample, kind, file);
		sample.set_int(row, kPlace, ++place);
		sample.set_text(row, kSubject, text_of(X509_get_subject_name(certificate.get())));
		sample.set_text(row, kIssuer, text_of(X509_get_issuer_name(certificate.get())));
		set_time(sample, row, kNotBefore, X509_get0_notBefore(certificate.get()));
		set_time(sample, row, kNotAfter, X509_get0_notAfter(certificate.get()));
	}
	ERR_clear_error(); // the end of the file counts as one, and the server looks at the same list
	if (place == 0)
		sample.set_text(add_row(sample, kind, file), kProblem,
						content.empty() ? "cannot be read" : "has no certificate in it");
}

} // namespace

Sample certificate_sample(const std::vector<std::pair<std::string, std::string>> &files) {
	Sample sample;
	sample.set_columns(plain_columns(kColumns));
	for (const auto &[kind, file] : files)
		add_file(sample, kind, file);
	return sample;
}

} // namespace pgdba
