// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/proxy.h"

#include <gtest/gtest.h>

#include <map>

namespace hilum {
namespace {

using Variables = std::map<std::string, std::string>;

std::optional<Proxy> Found(const std::string& target, Variables variables) {
  return ProxyFor(target, [&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

TEST(ProxyTest, HostsAndPortsAreSplit) {
  EXPECT_EQ(SplitHostPort("h:1").host, "h");
  EXPECT_EQ(SplitHostPort("h:1").port, "1");
  EXPECT_EQ(SplitHostPort("[::1]:443").host, "::1");
  EXPECT_EQ(SplitHostPort("[::1]:443").port, "443");
  EXPECT_EQ(SplitHostPort("::1").host, "::1");
  EXPECT_EQ(SplitHostPort("h").port, "");
}

// gRPC itself sends all of these through the proxy.
TEST(ProxyTest, LoopbackNeverGoesThroughAProxy) {
  for (const char* variable : {"grpc_proxy", "https_proxy", "http_proxy"}) {
    for (const char* target :
         {"127.0.0.1:8443", "127.9.9.9:1", "localhost:8443", "LOCALHOST:1",
          "a.localhost:1", "[::1]:8443", "[::ffff:127.0.0.1]:1"}) {
      EXPECT_FALSE(Found(target, {{variable, "http://proxy:3128"}}).has_value())
          << variable << " " << target;
    }
  }
  for (const char* target : {"notlocalhost:1", "128.0.0.1:1", "[::2]:1"}) {
    EXPECT_TRUE(Found(target, {{"http_proxy", "http://p:1"}}).has_value())
        << target;
  }
}

TEST(ProxyTest, TheVariableThatCountsIsNamed) {
  Variables all = {{"https_proxy", "http://user:secret@p1:3128/"},
                   {"http_proxy", "http://p2:8080"}};
  auto proxy = Found("lungs.example:8443", all);
  ASSERT_TRUE(proxy.has_value());
  EXPECT_EQ(proxy->variable, "https_proxy");
  EXPECT_EQ(proxy->at.host, "p1");
  EXPECT_EQ(proxy->at.port, "3128");
  all["grpc_proxy"] = "p3:1";
  proxy = Found("lungs.example:8443", all);
  EXPECT_EQ(proxy->variable, "grpc_proxy");
  EXPECT_EQ(proxy->url, "http://p3:1");
  all["grpc_proxy"] = "";
  EXPECT_FALSE(Found("lungs.example:8443", all).has_value());
  // The proxy is unusable, and recognised.
  proxy = Found("h:1", {{"https_proxy", "https://p:1"}});
  ASSERT_TRUE(proxy.has_value());
  EXPECT_EQ(proxy->at.host, "");
}

TEST(ProxyTest, NoProxyKnowsStarsNamesAddressesAndRanges) {
  const auto exempt = [](const std::string& target, const std::string& list) {
    return !Found(target, {{"http_proxy", "http://p:1"}, {"no_proxy", list}})
                .has_value();
  };
  EXPECT_TRUE(exempt("h.example:1", "*"));
  EXPECT_TRUE(exempt("h.example:1", "other, example"));
  EXPECT_TRUE(exempt("h.example:1", ".example"));
  EXPECT_TRUE(exempt("h.example:1", "*.example"));
  EXPECT_TRUE(exempt("H.Example:1", "h.example"));
  EXPECT_TRUE(exempt("h.example:1", "h.example:1"));
  EXPECT_TRUE(exempt("10.1.2.3:1", "10.0.0.0/8"));
  EXPECT_TRUE(exempt("10.1.2.3:1", "10.1.2.3"));
  EXPECT_TRUE(exempt("[fd00::7]:1", "fd00::/8"));
  EXPECT_FALSE(exempt("h.example:1", ""));
  EXPECT_FALSE(exempt("nothospital:1", "hospital"));
  EXPECT_FALSE(exempt("h.example:1", "h.example:2"));
  EXPECT_FALSE(exempt("11.1.2.3:1", "10.0.0.0/8"));
  EXPECT_FALSE(exempt("10.1.2.3:1", "2.3"));
  EXPECT_FALSE(exempt("10.1.2.3:1", "10.0.0.0/x"));
  EXPECT_FALSE(exempt("10.1.2.3:1", "10.0.0.0/99"));
  // The variable for gRPC alone counts where both are set.
  EXPECT_TRUE(Found("h:1", {{"http_proxy", "http://p:1"},
                            {"no_proxy", "h"},
                            {"no_grpc_proxy", "other"}})
                  .has_value());
}

}  // namespace
}  // namespace hilum
