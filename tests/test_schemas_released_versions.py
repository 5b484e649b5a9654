"""A released schema is never edited: each is pinned here by the SHA-256 of its text.

The lines are those of ``sha256sum``. A new version adds one; none is ever changed or taken out.
"""

import json
from importlib.resources import files

import pytest

from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.codec import decode_plain
from cryotrail_schemas.errors import UndecodableRecord

PINNED = """\
6d6ec5dc4a3e42f57d143d29f594a05ce9c4be15a667894bb816fd6bfde1c65b  AnaesthesiaGiven.v1.avsc
4aba91170cb1b489e831fa59e9e2093159744a007e0375c11d45df1baf3dc787  CaseDecisionRecorded.v1.avsc
d36546661102093d3e9b659654c4b2f644b97e4475f41538634c3e341864c218  ChecklistCompleted.v1.avsc
055d52d3546cbea5d0684d50befcfd110c3f24aa3cfbf7accc502282b03e3fec  ComplicationRegraded.v1.avsc
962fbce8fd2845867d4d86e1a1e20f66afaa47672394e9b9eecc816dc4db16ba  ComplicationReported.v1.avsc
dba7eaeea57df7696757a9a67e9e30198b715ba125646a7f87e7fe4cacff9986  ComplicationResolved.v1.avsc
722da1a7ba0a595befff8f5c16b1fbf5da5f961fc18bacb4c07c481d9c4e706e  ConsentObtained.v1.avsc
32322ef17b12e896b797389873b40533c622c9fe5f1cb2b47979a962b59c3574  CtAcquired.v1.avsc
4250aed8114b366602320fe777e6f010959b81db5e60e6e00847f63b235444f8  DeviceAlarmRaised.v1.avsc
0520dbdf82456866a7df67377e0e0aa28ae1eb13e2f2d013f9e88a2d3215a6f9  DisplacementPerformed.v1.avsc
854222dfa4bc03ba77a7deb36f147dec19d70a407d35ea1e0bdc78276d718c63  EmbolizationPerformed.v1.avsc
4dd4e198676592c88b735e4f992c68e7b502c872fdfc885970069c7fb9445647  EventAmended.v1.avsc
7c4d2ce3ed2af57ce05f45a830019d562eab2df3d634325c2ced9478afce332f  EventVoided.v1.avsc
05e80555faf76502b3fd0782495e59c26c0c4465bc74ecb1bcee1d4429537808  FlowChanged.v1.avsc
274c1b9c0c92c7ca9ea6736c6177eb8d5cb7808aae77cebfc81e5c1083f838a6  FollowUpImagingPerformed.v1.avsc
0207c304d6695beeb8a1f7a6f2cf9aeb348c80e89290ec920cc8182fc1e0222d  FreezeStarted.v1.avsc
2844c4c2b5ccb5cf70368d91bf969dbc692f60fed63aedc1c5adf4b4d7af6648  FreezeStopped.v1.avsc
3ecfec81fb3d0d94adbf383087afd17422d8be70dfd87f958fea521ba7ac0754  HaemostasisApplied.v1.avsc
bf206f758a545b78cca136caa90a664e3b484c6ab7149fe971708c0ae34e98c2  IceBallChecked.v1.avsc
388bfe74dd72f193fce535f9bb38a7f74cefc3c895318c717cf36d045fb29fd2  LabResultRecorded.v1.avsc
34830a3054a56377e179b9344ca9840a17d3e6d1f0d8712f9508d49b367e79d5  LesionAdded.v1.avsc
78dd767d99b50239b05a2a1b1a4d59c8590559f252307affbc8c7c1efe2326e5  MedicationGiven.v1.avsc
30e4db12358f2c9eabdd67c011a4f075bc074896be79c2806a53774ad56117fb  NeuromonitoringRecorded.v1.avsc
edd0a6070810da4198e511fa1451f59a9bcbb4133b5fb8a3ea2e1c403d38f8e7  OutboxLossReported.v1.avsc
89d06369ba232dd810f983ad56a3c9675b1f696ad7b2740cdcf77002c57745d9  PatientDischarged.v1.avsc
c2d32b21089be5a8edfa2cbec10fb0dfac8ee97f093697ad659e3aec4d855c90  ProbeAnchored.v1.avsc
5cc6c811ade6d570450e80d542e217b9a5812d8677f3233de64ffd0b966b7cca  ProbeInserted.v1.avsc
d5fcc8fd2f19e1d4c6c02779ae0af3fa4b98bbfcadecb2cf215424a7f395d50b  ProbePositionChecked.v1.avsc
9fced0cf4ef0e4416af7bb496cf3b96880e8127485eae7a1f1ca7dd6600dd593  ProbeRemoved.v1.avsc
9223a0b31098e9ffd4bf970c7794fa435894a87f49a701109e6962dbf449a1bb  ProbeTelemetryChunk.v1.avsc
453d16ec25f58ff2181ec162298878cb940275c937673014a03f9092d376d941  ProcedureEnded.v1.avsc
ce2bd39924164defd12ff8c0e95d02714119deb49ef2f3b5a2be24a8b23eb920  ProcedureReviewed.v1.avsc
5130311f7874961502f88416e5bc1ed71e4a572a496a95eabd72e9ca5596777c  ProcedureScheduled.v1.avsc
97b9dc89dcc757047666a45573cc9505df2524dfdd26ca0b4874ca7ce964eb47  ProcedureSealed.v1.avsc
58709706b7f6ed1dd7d351d7bb2c23ab2938ee842dfbcf5bb1aaaf59c61dd1c0  ProcedureStarted.v1.avsc
5df90cb8a9a2588af31d947bfb4fed7759c3915b8632baa810c54068459ec32b  RecurrenceDetected.v1.avsc
a5ab84a304ba0b5b12d85bae647fb51bb18c5219d65c731f28b53edf9d020be7  ResponseAssessed.v1.avsc
f96ee179c4dcbe1d5b206298a0f4fc3cb689f1d7e7d5399ef90e52a6fb438e9e  SkinProtectionApplied.v1.avsc
335717ec83fcadc1591a88567719ef38b4d74a3cde7c6ea39388ff569fa852b7  TechnicalSuccessAssessed.v1.avsc
78da1aa1fa793a3cc54a21f77e3a66c7d38b03bba3ab3dff1412cc5696aaa05b  TelemetryGapReported.v1.avsc
d672d0e655a4ad7777ceff36babe1da53ad051fd148aa25f9eba79752a6c9557  ThawStarted.v1.avsc
3d4b3faedbc1754ef258b0e97e347377b81872e25bc78c8416bd3e7f80bb28b0  ThawStopped.v1.avsc
74524fec9f35f87aa2b9a2e250e32194a5dc45481224f6cfce6f7cf23c351392  ThermosensorPlaced.v1.avsc
fc0757ae577285b52f1c6bda82822d1886787b31f3f36daa4bc2208d24a5bab3  TractChecked.v1.avsc
4c97e3e1a416d85c967e8c8554e332971a05e6c094f518b0bc0ea3d8d6abf79b  TrajectoryPlanned.v1.avsc
c8d39d9d391cd01fe1c44b877b9574fffbf03886cb8b3e4eb41273271d25dd26  VitalStatusUpdated.v1.avsc
"""


def test_every_released_version_is_pinned_and_unchanged():
    released = [f"{item.sha256.hex()}  {item.name}.v{item.version}.avsc" for item in catalog()]

    assert released == PINNED.splitlines()


def test_every_released_file_is_in_the_catalog():
    folder = files("cryotrail_schemas").joinpath("avro", "released")

    names = {entry.name for entry in folder.iterdir()}

    assert names == {f"{item.name}.v{item.version}.avsc" for item in catalog()}


@pytest.mark.parametrize(
    "event_type", [*catalog()], ids=lambda item: f"{item.name}.v{item.version}"
)
def test_a_released_text_stands_alone(event_type):
    definition = json.loads(event_type.text)

    assert definition["name"] == event_type.name
    assert definition["fields"][0]["name"] == "header"
    with pytest.raises(UndecodableRecord, match="truncated"):
        decode_plain(b"", event_type)
