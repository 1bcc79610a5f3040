// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom/select_pcxr.h"

#include "gtest/gtest.h"
#include "tests/site_agent/imaging/dicom/dicom_maker.h"

namespace hilum {
namespace {

constexpr DicomTag kSeriesDescription = 0x0008103e;
constexpr DicomTag kProtocolName = 0x00181030;
constexpr DicomTag kViewPosition = 0x00185101;
constexpr DicomTag kBodyPart = 0x00180015;

PcxrVerdict Judge(const DicomMaker& maker) {
  const std::string bytes = maker.DataSet();
  auto elements = DicomElements::Parse(bytes, {});
  EXPECT_TRUE(elements.ok()) << elements.status();
  return SelectPcxr(*elements);
}

std::string Reason(const DicomMaker& maker) { return Judge(maker).reason; }

DicomMaker WithoutView() { return SmallChest().Remove(kViewPosition); }

TEST(SelectPcxrTest, FrontalChestRadiographsAreTaken) {
  EXPECT_EQ(Judge(SmallChest()).view, "AP");
  DicomMaker dx = SmallChest().Text(0x00080060, "CS", "DX");
  dx.Text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.1.1")
      .Text(0x00080068, "CS", "FOR PRESENTATION")
      .Text(kViewPosition, "CS", "PA");
  EXPECT_TRUE(Judge(dx).accepted()) << Reason(dx);
  EXPECT_EQ(Judge(dx).view, "PA");
}

TEST(SelectPcxrTest, OtherModalitiesAreNot) {
  EXPECT_EQ(Reason(SmallChest().Text(0x00080060, "CS", "CT")),
            "the modality is not CR or DX");
  EXPECT_EQ(Reason(SmallChest().Remove(0x00080060)),
            "the modality is not given");
}

TEST(SelectPcxrTest, WhatIsMeantForProcessingIsNot) {
  EXPECT_EQ(Reason(SmallChest().Text(0x00080068, "CS", "FOR PROCESSING")),
            "meant for processing, not for presentation");
  EXPECT_EQ(Reason(SmallChest().Text(0x00080016, "UI",
                                     "1.2.840.10008.5.1.4.1.1.1.1.1")),
            "meant for processing, not for presentation");
}

TEST(SelectPcxrTest, SecondaryCapturesAndLocalizersAreNot) {
  for (const char* sop_class :
       {"1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.7.2"}) {
    EXPECT_EQ(Reason(SmallChest().Text(0x00080016, "UI", sop_class)),
              "a secondary capture");
  }
  EXPECT_EQ(Reason(SmallChest().Text(0x00080008, "CS",
                                     "ORIGINAL\\PRIMARY\\LOCALIZER")),
            "a localizer");
}

TEST(SelectPcxrTest, OtherPartsOfTheBodyAreNot) {
  EXPECT_EQ(Reason(SmallChest().Text(kBodyPart, "CS", "KNEE")),
            "the body part is not the chest");
  EXPECT_EQ(Reason(SmallChest().Text(kBodyPart, "CS", "CHEST_ABDOMEN")),
            "it shows more than the chest");
  DicomMaker unsaid = SmallChest().Remove(kBodyPart);
  EXPECT_EQ(Reason(unsaid), "nothing says that it shows the chest");
  EXPECT_EQ(Reason(unsaid.Text(kSeriesDescription, "LO", "Thorax AP")), "");
}

TEST(SelectPcxrTest, LateralsAndTheirLikeAreNot) {
  for (const char* view : {"LL", "RL", "LLO", "LATERAL", "XTABLE"}) {
    EXPECT_EQ(Reason(SmallChest().Text(kViewPosition, "CS", view)),
              "the view is not AP or PA")
        << view;
  }
  EXPECT_EQ(Reason(WithoutView().Text(kSeriesDescription, "LO", "CHEST, LAT.")),
            "the view is not AP or PA");
  EXPECT_EQ(
      Reason(WithoutView().Text(kProtocolName, "LO", "Chest AP decubitus")),
      "the view is not AP or PA");
}

TEST(SelectPcxrTest, TheViewIsFoundInTextWhereItHasNoField) {
  EXPECT_EQ(
      Judge(WithoutView().Text(kProtocolName, "LO", "W034 chest p.a./PA")).view,
      "PA");
  EXPECT_EQ(
      Judge(WithoutView().Text(kSeriesDescription, "LO", "Antero-posterior"))
          .view,
      "AP");
  DicomMaker code;
  code.Text(0x00080104, "LO", "postero-anterior");
  EXPECT_EQ(Judge(WithoutView().Items(0x00540220, {code})).view, "PA");
}

TEST(SelectPcxrTest, ABedsideRadiographIsAp) {
  EXPECT_EQ(
      Judge(WithoutView().Text(kSeriesDescription, "LO", "Portable chest"))
          .view,
      "AP");
}

// Texts from hospitals; some are in the shared cases, too.
TEST(SelectPcxrTest, ViewsInSixLanguages) {
  const std::pair<const char*, const char*> kAccepted[] = {
      {"Thorax a.p. liegend", "AP"},
      {"Thorax liegend", "AP"},
      {"Thorax im Liegen", "AP"},
      {"CHEST SUPINE", "AP"},
      {"Bett-Thorax", "AP"},
      {"T\xd3RAX AP PORT\xc1TIL", "AP"},
      {"Radiograf\xed"
       "a de t\xf3rax dec\xfa"
       "bito supino",
       "AP"},
      {"RX TORACE A LETTO", "AP"},
      {"Torace postero-anteriore", "PA"},
      {"Thorax d\xe9"
       "cubitus dorsal",
       "AP"},
      {"Poumons post\xe9ro-ant\xe9rieur", "PA"},
      {"RX de t\xf3rax no leito", "AP"},
      {"T\xf3rax P.A.", "PA"},
      {"Thorax dorsoventral", "PA"},
  };
  for (const auto& [text, view] : kAccepted) {
    DicomMaker maker = WithoutView().Remove(kBodyPart);
    maker.Text(kSeriesDescription, "LO", text);
    EXPECT_EQ(Reason(maker), "") << text;
    EXPECT_EQ(Judge(maker).view, view) << text;
  }
  for (const char* text :
       {"Thorax seitlich", "T\xf3rax perfil", "Torace laterale",
        "Thorax de profil", "Torace latero-laterale", "Thorax l.l."}) {
    EXPECT_EQ(Reason(WithoutView().Text(kSeriesDescription, "LO", text)),
              "the view is not AP or PA")
        << text;
  }
  for (const char* part : {"TORAX", "TORACE", "LUNGE", "POUMON", "PULMAO"}) {
    EXPECT_EQ(Reason(SmallChest().Text(kBodyPart, "CS", part)), "") << part;
  }
  EXPECT_EQ(Reason(SmallChest().Text(kViewPosition, "CS", "SUPINE")), "");
}

TEST(SelectPcxrTest, TheSpineIsNotTheChest) {
  DicomMaker maker = SmallChest().Remove(kBodyPart);
  EXPECT_EQ(
      Reason(maker.Text(kSeriesDescription, "LO", "Rachis thoracique face AP")),
      "nothing says that it shows the chest");
}

TEST(SelectPcxrTest, ASitesOwnWordsCount) {
  const std::string bytes =
      WithoutView().Text(kSeriesDescription, "LO", "Intensivbett 3").DataSet();
  auto elements = DicomElements::Parse(bytes, {});
  ASSERT_TRUE(elements.ok());
  EXPECT_FALSE(SelectPcxr(*elements).accepted());
  EXPECT_EQ(
      SelectPcxr(*elements, *FilmWords::WithSiteList("ap: intensivbett")).view,
      "AP");
}

TEST(SelectPcxrTest, WordsAreWholeWords) {
  // MAP, PACS and CAP are not views.
  EXPECT_EQ(
      Reason(WithoutView().Text(kSeriesDescription, "LO", "PACS MAP, CAP")),
      "nothing says whether the view is AP or PA");
}

TEST(SelectPcxrTest, ContradictionsAreNotGuessedAt) {
  EXPECT_EQ(Reason(WithoutView().Text(kSeriesDescription, "LO", "AP or PA")),
            "both AP and PA are named");
  EXPECT_EQ(
      Reason(SmallChest().Text(kSeriesDescription, "LO", "Chest lateral")),
      "its text says another view than its view position");
  // A series of two views names both.
  EXPECT_EQ(
      Reason(SmallChest().Text(kSeriesDescription, "LO", "Chest AP + LAT")),
      "");
}

TEST(SelectPcxrTest, ReasonsDoNotQuoteFreeText) {
  const std::string reason =
      Reason(WithoutView().Text(kSeriesDescription, "LO", "Chest of Jane Roe"));
  EXPECT_EQ(reason.find("Roe"), std::string::npos);
}

}  // namespace
}  // namespace hilum
