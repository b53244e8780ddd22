#pragma once
#include <string>

#include "clara/base/handle.hpp"

namespace clara {

/// POOL/images/.NAME.partial; what it holds is gone unless it was published. The caller has lock_image().
class PartialImage {
  public:
    PartialImage(const std::string& pool, const std::string& name);
    PartialImage(const PartialImage&) = delete;
    PartialImage& operator=(const PartialImage&) = delete;
    ~PartialImage();

    const std::string& path() const { return path_; }
    int images() const { return images_.get(); }  ///< POOL/images

    /// Fsyncs `file` and the folder, which gets the name `id`.
    void publish(const std::string& id, const std::string& file);

  private:
    std::string name_, path_;
    Fd images_;
};

}  // namespace clara
