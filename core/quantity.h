#pragma once

/// Quantities with units as types: adding seconds to bytes does not compile, and bytes divided by
/// bytes per second are seconds. A value is stored in the base unit (second, byte, floating-point
/// operation, joule, dollar) and leaves only by naming a unit: `t.in(1.0_us)`.
///
/// Gbps is 10^9 bits a second, GBps 10^9 bytes a second, GiB 2^30 bytes, GB 10^9 bytes; that is
/// decided here and nowhere else.

#include <compare>

namespace forerun {

/// seconds^S * bytes^B * flops^F * joules^J * dollars^D.
template <int S, int B, int F, int J, int D>
class Quantity {
 public:
  constexpr Quantity() = default;
  constexpr explicit Quantity(double base) : base_(base) {}

  /// How many of `unit` this is; `unit` is any quantity of the same kind.
  [[nodiscard]] constexpr double in(Quantity unit) const { return base_ / unit.base_; }
  /// The value in the base unit, for code that stores or prints many of them.
  [[nodiscard]] constexpr double base() const { return base_; }

  constexpr auto operator<=>(const Quantity&) const = default;
  constexpr Quantity operator-() const { return Quantity(-base_); }
  constexpr Quantity& operator+=(Quantity o) {
    base_ += o.base_;
    return *this;
  }
  constexpr Quantity& operator-=(Quantity o) {
    base_ -= o.base_;
    return *this;
  }
  constexpr Quantity& operator*=(double f) {
    base_ *= f;
    return *this;
  }
  constexpr Quantity& operator/=(double f) {
    base_ /= f;
    return *this;
  }
  friend constexpr Quantity operator+(Quantity a, Quantity b) {
    return Quantity(a.base_ + b.base_);
  }
  friend constexpr Quantity operator-(Quantity a, Quantity b) {
    return Quantity(a.base_ - b.base_);
  }
  friend constexpr Quantity operator*(Quantity a, double f) { return Quantity(a.base_ * f); }
  friend constexpr Quantity operator*(double f, Quantity a) { return Quantity(a.base_ * f); }
  friend constexpr Quantity operator/(Quantity a, double f) { return Quantity(a.base_ / f); }
  friend constexpr double operator/(Quantity a, Quantity b) { return a.base_ / b.base_; }

 private:
  double base_ = 0.0;
};

template <int S, int B, int F, int J, int D, int S2, int B2, int F2, int J2, int D2>
constexpr auto operator*(Quantity<S, B, F, J, D> a, Quantity<S2, B2, F2, J2, D2> b) {
  if constexpr (S + S2 == 0 && B + B2 == 0 && F + F2 == 0 && J + J2 == 0 && D + D2 == 0) {
    return a.base() * b.base();
  } else {
    return Quantity<S + S2, B + B2, F + F2, J + J2, D + D2>(a.base() * b.base());
  }
}

/// Division of unlike quantities; like by like is the `double` above.
template <int S, int B, int F, int J, int D, int S2, int B2, int F2, int J2, int D2>
  requires(S != S2 || B != B2 || F != F2 || J != J2 || D != D2)
constexpr auto operator/(Quantity<S, B, F, J, D> a, Quantity<S2, B2, F2, J2, D2> b) {
  return Quantity<S - S2, B - B2, F - F2, J - J2, D - D2>(a.base() / b.base());
}

using Seconds = Quantity<1, 0, 0, 0, 0>;
using Bytes = Quantity<0, 1, 0, 0, 0>;
using Flops = Quantity<0, 0, 1, 0, 0>;
using Joules = Quantity<0, 0, 0, 1, 0>;
using Dollars = Quantity<0, 0, 0, 0, 1>;
using Bandwidth = Quantity<-1, 1, 0, 0, 0>;
using FlopRate = Quantity<-1, 0, 1, 0, 0>;
using Watts = Quantity<-1, 0, 0, 1, 0>;
using DollarRate = Quantity<-1, 0, 0, 0, 1>;
using EnergyPrice = Quantity<0, 0, 0, -1, 1>;

inline namespace literals {
constexpr Seconds operator""_s(long double v) { return Seconds(static_cast<double>(v)); }
constexpr Seconds operator""_ms(long double v) { return Seconds(static_cast<double>(v) * 1e-3); }
constexpr Seconds operator""_us(long double v) { return Seconds(static_cast<double>(v) * 1e-6); }
constexpr Seconds operator""_ns(long double v) { return Seconds(static_cast<double>(v) * 1e-9); }
constexpr Seconds operator""_h(long double v) { return Seconds(static_cast<double>(v) * 3600.0); }
constexpr Seconds operator""_days(long double v) {
  return Seconds(static_cast<double>(v) * 86400.0);
}
constexpr Bytes operator""_B(long double v) { return Bytes(static_cast<double>(v)); }
constexpr Bytes operator""_KiB(long double v) { return Bytes(static_cast<double>(v) * 1024.0); }
constexpr Bytes operator""_MiB(long double v) { return Bytes(static_cast<double>(v) * 1048576.0); }
constexpr Bytes operator""_GiB(long double v) {
  return Bytes(static_cast<double>(v) * 1073741824.0);
}
constexpr Bytes operator""_GB(long double v) { return Bytes(static_cast<double>(v) * 1e9); }
constexpr Bytes operator""_MB(long double v) { return Bytes(static_cast<double>(v) * 1e6); }
constexpr Flops operator""_FLOP(long double v) { return Flops(static_cast<double>(v)); }
constexpr Flops operator""_GFLOP(long double v) { return Flops(static_cast<double>(v) * 1e9); }
constexpr Bandwidth operator""_GBps(long double v) {
  return Bandwidth(static_cast<double>(v) * 1e9);
}
constexpr Bandwidth operator""_Gbps(long double v) {
  return Bandwidth(static_cast<double>(v) * 1.25e8);
}
constexpr FlopRate operator""_TFLOPps(long double v) {
  return FlopRate(static_cast<double>(v) * 1e12);
}
constexpr Watts operator""_W(long double v) { return Watts(static_cast<double>(v)); }
constexpr Dollars operator""_usd(long double v) { return Dollars(static_cast<double>(v)); }
constexpr DollarRate operator""_usd_per_h(long double v) {
  return DollarRate(static_cast<double>(v) * (1.0 / 3600.0));
}
constexpr Joules operator""_kWh(long double v) { return Joules(static_cast<double>(v) * 3.6e6); }
constexpr EnergyPrice operator""_usd_per_kWh(long double v) {
  return EnergyPrice(static_cast<double>(v) * (1.0 / 3.6e6));
}
}  // namespace literals

}  // namespace forerun
