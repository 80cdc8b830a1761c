"""What is written back in languages of Asia. :mod:`channels.optout_keywords.patterns` explains the patterns."""

from __future__ import annotations

from channels.optout_keywords.patterns import Lexicon

TURKISH = Lexicon(
    name="turkish",
    same={
        "mesaj": """
            mesajı, mesajlar, mesajları, msj, mesajlarınızı, mesajlarını, mesajlardan, sms, smsler,
            mesajların, smsleri
        """,
    },
    idle="""
        lütfen, teşekkürler, artık, şimdi, hemen, bana, bir daha, daha, bu numaraya, sürekli, hiç,
        merhaba, bize, böyle, reklam
    """,
    alone="""
        dur, durdur, durdurun, iptal, ret, red, çık, çıkış, yeter, bırak, bırakın, kapat,
        istemiyorum, iptal et, iptal edin, sil, üyelik iptal, yanlış numara, rahatsız etmeyin
    """,
    spare=(
        "siparişi|randevu*|sipariş|toplantı* iptal",
        "nasıl iptal",
        "mesaj almıyorum|gelmiyor|alamıyorum",
    ),
    stop=(
        "mesaj atma*|gönderme*|istemiyor*|yollama*|yazma*|almak|iptal|durdur*|kes*|kapat*",
        "yazmayın|yazma|aramayın|göndermeyin|gönderme|atmayın|yollamayın $",
        "yanlış numar*|kişi",
        "listeden|listenizden|rehberden|sistemden beni? çık*|sil*",
        "numaramı|numaramızı|beni|kaydımı|bilgilerimi . sil*|çıkar*|kaldır*",
        "aboneliği|üyeliği|abonelikten|üyelikten iptal|çık*",
        "rahatsız etme*",
        "rahat bırak*",
        "iznimi|onayımı geri|iptal",
        "şikayet edece*|ederim|edicem",
        "defol*|siktir*",
    ),
    start=("başla|başlat",),
    help="yardım, bilgi, destek",
)

ARABIC = Lexicon(
    name="arabic",
    idle="""
        من فضلك, رجاء, شكرا, الان, لو سمحت, فورا, لي, ارجو, يرجى, ارجوك, ارجوكم, بعد الان, مره اخرى,
        الي
    """,
    alone="""
        قف, توقف, توقفوا, ايقاف, الغاء, كفى, كفايه, خلاص, اوقف, اوقفوا, الغ, الغي, وقف, حذف, انهاء,
        ازاله, الغاء الاشتراك
    """,
    lists={
        "thing": """
            رسائل*, الرسائل, رساله, رسايل, الرسايل, اعلانات, الاعلانات, sms, مسجات, اشعارات,
            المراسله
        """,
        "do": "ترسل*, تراسل*, تتصل*, تبعث*, تزعج*, تكتب*, تواصل*, تبعت*, تتواصل*, ارسال",
    },
    spare=("لا|ما|لم تتوقف*|توقف*|تلغ*", "كيف الغي|اوقف|يمكنني", "لا|لم|ما يصلني|تصلني|استلم|تصل"),
    stop=(
        "لا|ما|عدم {do}",
        (
            "لا|ما|مش|لم اريد|ابي|عايز|ارغب|ابغى|اطلب|بدي في|استقبال|تلقي|اي|هذه|مزيد|المزيد? "
            "{thing}|استقبال|تلقي"
        ),
        (
            "اوقف*|وقف*|ايقاف|توقف*|كفايه|كفى|الغاء|الغ*|بطل* عن|من|هذه? {thing}|ارسال|الارسال|"
            "الاشتراك|اشتراكي"
        ),
        "احذف*|امسح*|ازل|شيل*|ازيل*|حذف رقمي|الرقم|اسمي|من",
        "من القائمه|قائمتكم|قائمه",
        "رقم|الرقم خطا|غلط|خاطئ|الخطا|الغلط|غلطان|خاطيء",
        "هذا ليس رقم*",
        "اتركني|اتركوني|خلوني|سيبوني|دعوني",
        "اسحب موافقتي",
    ),
    start=("ابدا|ابدء|اشتراك|تفعيل",),
    help="مساعده, المساعده, ساعدني, معلومات",
)

HEBREW = Lexicon(
    name="hebrew",
    idle="בבקשה, תודה, עכשיו, לי, יותר, מיד, שלום, נא, כבר, את, אליי",
    alone="""
        הסר, הסירו, להסיר, עצור, הסרה, די, הפסק, ביטול, בטל, להפסיק, עצרו, תפסיקו, תפסיק, מספיק,
        מספר שגוי, מחק, תפסיקי
    """,
    spare=("אל|לא תפסיק*|תסירו|להפסיק",),
    stop=(
        "הסירו|תסירו|הסר|להסיר|תורידו|תמחקו|מחקו|הורידו|למחוק אותי|אותנו|מספר*|המספר|מהרשימה|מרשימ*",
        "תפסיק*|להפסיק|הפסיקו|די|מספיק לשלוח|עם|הודעות|להטריד|לסמס|להציק|לכתוב",
        "לא|אל לשלוח|תשלח*|שולחים|תסמס*|תכתב*|תכתוב*|תתקשר*",
        "לא רוצה|מעוניין|מעוניינת לקבל|עוד? הודעות|לקבל|סמס*|פרסומות",
        "בלי הודעות|פרסומות",
        "טעות במספר",
        "מספר שגוי|לא",
        "עזבו|תעזבו|תעזוב|עזוב אותי|אותנו",
        "מהרשימה|מרשימת",
    ),
    start=("התחל|הצטרף|הרשמה",),
    help="עזרה, מידע",
)

HINDI = Lexicon(
    name="hindi",
    same={
        "message": "msg, msgs, messages, mesej, sms, मैसेज, संदेश, मेसेज, एसएमएस, संदेशों, सन्देश",
        "mat": "मत, न",
        "nahi": "नहीं, nahin, nhi, नही",
        "karo": """
            करो, करें, करे, kare, karen, kijiye, कीजिए, kar do, kardo, करिए, karna, करना, kro, krdo,
            कर दो
        """,
        "band": "बंद, bandh, bnd",
        "bhejo": "भेजिए, भेजो, भेजें, भेजना, भेजे, bhejna, bheje, bhejiye, bhejen, bejo",
    },
    idle="""
        please, pls, plz, कृपया, mujhe, मुझे, हमें, ab, अब, yaar, bhai, aur, और, yeh, ye, ये, यह,
        aage, को, ko, abhi, तुरंत, jaldi, ji
    """,
    alone="""
        बंद, band, रोकें, रोको, roko, ruko, रुको, हटाओ, hatao, रद्द करें, नहीं चाहिए, nahi chahiye,
        सदस्यता समाप्त, bas, बस, बस करो, bas karo, स्टॉप, mat bhejo, मत भेजो, band karo, बंद करो,
        बंद करें
    """,
    spare=("band|roko mat", "mat roko|rokna|रोको|रोकें", "सब्सक्रिप्शन|ऑर्डर|order"),
    stop=(
        "band karo",
        "message mat|nahi bhejo|karo|chahiye|चाहिए|bhejna|भेजिए|$",
        "message .. band|roko|रोको|रोकें",
        "mat bhejo",
        "mat karo message|call|contact|pareshan|परेशान|तंग|tang",
        "call|pareshan|परेशान|tang|तंग mat",
        "गलत|galat|ग़लत|रॉन्ग|ghalat नंबर|number|नम्बर|no",
        "list|लिस्ट|सूची .. hatao|हटा*|nikal*|निकाल*",
        "mera|मेरा|mere number|नंबर|naam|नाम .. hata*|हटा*|delete|nikal*|डिलीट|निकाल*",
        "सदस्यता समाप्त",
        "अनसब्सक्राइब",
    ),
    start=("shuru|शुरू|चालू|chalu karo?",),
    help="madad, मदद, सहायता, sahayata",
)

VIETNAMESE = Lexicon(
    name="vietnamese",
    idle="làm ơn, vui lòng, cảm ơn, ngay, xin, cho tôi, nhé, ạ, nữa, tôi, với tôi",
    alone="""
        dừng, dừng lại, hủy, huỷ, ngừng, thôi, từ chối, hủy đăng ký, huỷ đăng ký, sai số, nhầm số,
        ngưng, ngừng lại, đủ rồi
    """,
    spare=("đừng|không dừng|ngừng|hủy", "hủy|huỷ đơn"),
    stop=(
        "đừng|không|ngừng|dừng|ngưng có? nhắn|gửi|làm|liên|gọi tin|phiền|lạc|điện|$",
        "không muốn|cần|đồng .. nhận|tin|ý|nhắn tin|tin|nhắn|$",
        "hủy|huỷ|bỏ đăng|theo ký|dõi",
        "xóa|xoá số|tên|thông",
        "sai|nhầm số|người",
        "để yên",
        "khỏi danh sách",
    ),
    start=("bắt đầu", "đăng ký"),
    help="trợ giúp, hỗ trợ, giúp đỡ",
)

MALAY = Lexicon(
    name="indonesian, malay",
    same={
        "pesan": "mesej, wa, pesannya, iklan, teks",
    },
    idle="""
        tolong, mohon, terima kasih, makasih, sekarang, lagi, ya, dong, saya, kami, segera, sila,
        harap, min, ini, kepada, ke, halo
    """,
    alone="""
        berhenti, hentikan, batal, keluar, cukup, henti, sudah cukup, salah nomor, salah sambung,
        salah nombor, hapus, tolak, unreg, jangan ganggu
    """,
    spare=("jangan berhenti|hentikan|hapus", "batal* pesanan"),
    stop=(
        (
            "stop|berhenti|hentikan|henti mengirim*|kirim*|pesan|hubungi|menghubungi|hantar*|"
            "langganan|berlangganan|sms"
        ),
        "jangan .. kirim*|hubungi|ganggu|pesan|hantar|chat|telepon|telpon|kontak|sms",
        "tidak|gak|nggak|tak|ga|ngga ingin|mau|nak|butuh . pesan|menerima|terima|langganan|sms",
        "hapus*|keluarkan|padam|buang nomor|nomer|nombor|daftar|nama|kontak|dari",
        "salah nomor|nomer|nombor|sambung|orang",
        "batal* langganan",
        "dari daftar|senarai",
    ),
    start=("mulai|mula|daftar|langganan|lanjut",),
    help="bantuan, bantu, tolong",
)

TAGALOG = Lexicon(
    name="tagalog",
    idle="""
        po, please, pls, naman, nga, na, kayo, kayong, ako, sa akin, sakin, ninyo, niyo, ulit, lang,
        ng, muna, dito, opo, mag
    """,
    alone="""
        tama na, tigil, itigil, ayoko, ayoko na, tigilan mo ako, tigilan nyo, huwag, ihinto,
        maling number, tigil na
    """,
    spare=("wag|huwag tigil*|itigil|ihinto|tumigil",),
    stop=(
        (
            "wag|huwag|wg text|magtext|message|tawag|tumawag|istorbo*|send|magpadala|contact|txt|"
            "magsend|magmessage|padala*"
        ),
        "tigil*|itigil|tumigil|ihinto",
        "ayaw|ayoko . text*|message*|makatanggap",
        "tanggal*|alisin|burahin|tanggalin . number|numero|list|listahan",
        "mali|maling number|numero",
    ),
    start=("simulan|umpisa",),
    help="tulong, saklolo",
)

CHINESE = Lexicon(
    name="chinese",
    alone="""
        停止, 停, 退订, 退訂, 取消, 取消订阅, 取消訂閱, td, 拒收, 滚, 退出, 停止发送, 终止, 終止,
        别发了, 不要了, 打错了, 發錯了, 够了, 滾, 退, 打錯了, 號碼錯了, 删除, tuiding, 回复td
    """,
    spare=(
        "不要|别|別|没|沒|没有|不 停|取消|退订|停止|删除|刪除|删",
        "取消|停止 订单|訂單|会议|會議|预约|响应|預約|运行",
        "怎么|如何|怎樣|怎麼 取消|停止 订单|会议|导出|自动|續費|续费",
    ),
    stop=(
        "退订|退訂|取消订阅|取消訂閱|拒收|停止发送|停止發送|停止推送|取消推送",
        (
            "不要|别|別|请勿|請勿|勿|不想|不准|不许|不用|不需要|莫 .. 发|發|打扰|打擾|联系|聯繫|"
            "聯絡|骚扰|騷擾|收到|烦|煩|推送|短信|簡訊|打电话|打電話|寄|传"
        ),
        "停止|取消|关闭|關閉|停 . 短信|信息|簡訊|消息|发送|訊息|推送|通知|发|骚扰",
        "把|从|從|将|將 .. 名单|名單|列表|数据库|资料庫|号码|號碼|电话|電話 .. 删|刪|移除|去掉|拿掉",
        "删除|刪除|移除|去掉|删掉|刪掉 . 我|号码|號碼|手机|手機|电话|電話",
        "发错|發錯|打错|打錯|传错|傳錯|号码错|號碼錯|错误的号码|找错|找錯|认错|不是本人|不是我的号码",
        "号码|號碼|电话|電話 不对|错|錯|有误|換人|换人",
        "撤回|撤销|撤銷 . 同意|授权|授權",
        "举报|舉報|投诉|投訴 . 你|骚扰|垃圾",
        "垃圾|骚扰|騷擾 短信|信息|簡訊|消息",
        "再发|再發|再打 .. 举报|投诉|报警|告|檢舉|投訴|報警",
        "滚|烦死|煩死|他妈",
    ),
    start=("开始|開始|订阅|訂閱|恢复|恢復",),
    help="帮助, 幫助, 帮忙, 求助",
    spaced=False,
)

JAPANESE = Lexicon(
    name="japanese",
    alone="""
        停止, 解除, 配信停止, 退会, 中止, やめて, やめろ, 終了, ストップ, 止めて, 登録解除,
        登録解除希望, 間違い, 迷惑, 迷惑です, 拒否, 受信拒否, いらない, いりません, 不要, 不要です
    """,
    spare=(
        "停止|やめ|止め|解除 しないで|ないで",
        "停止|解除|中止 してしまい|しまう|する理由|され",
        "届きません|届かない",
    ),
    stop=(
        (
            "配信|送信|メール|連絡|メッセージ|sms|通知|これ . 停止|中止|やめ|止め|とめ|不要|いらな|"
            "いりま|解除|しないで|拒否|ストップ|お断り|控え"
        ),
        (
            "送ら|送って|送信し|送信|連絡し|連絡|メールし|電話し|電話|配信し|よこさ|送付し|掛け|"
            "かけ ないで|来ないで|こないで|しないで|るな|ほしくな"
        ),
        "送ら|連絡|送信 . やめ|止め|結構|不要",
        "送って|送られて|連絡 . 来ないで|こないで|こなくて|来なくて|いらな",
        "送るな|やめてください|やめて下さい|やめてくれ|止めてください|止めて下さい|やめてほしい",
        "登録|会員|購読 . 解除|退会|抹消|削除|取り消|やめ",
        "解除|退会|配信停止 して|したい|希望|お願い|ください|をお",
        "番号|宛先|相手 . 違|間違|ちが|まちが",
        "間違い|間違え|まちがい|まちがえ 電話|番号|て|メール|です",
        "人違い",
        "もう いりません|いらない|結構です|不要|送",
        "迷惑 です|メール|だ|行為|電話|している",
        "リスト|名簿|番号|名前|アドレス . 削除|消し|外し|消去|除外",
        "同意 . 撤回|取り消",
        "訴え|通報 ます|します|する|るぞ",
        "うざい|しつこい|消えろ",
    ),
    start=("開始|再開|登録|スタート",),
    help="ヘルプ, 助けて, へるぷ",
    spaced=False,
)

KOREAN = Lexicon(
    name="korean",
    alone="""
        수신거부, 중지, 그만, 중단, 해지, 거부, 정지, 취소, 스팸, 탈퇴, 멈춰, 그만해, 그만하세요,
        스톱, 삭제, 구독취소, 구독해지, 싫어요
    """,
    spare=("멈추지|중단하지|그만두지|중지하지 마|말", "주문|예약|회의 .. 취소|삭제|중지"),
    stop=(
        (
            "수신|문자|메시지|메세지|알림|광고|연락|스팸|메일 .. 거부|중단|중지|그만|차단|해지|"
            "취소|끊|싫|필요없|원하지|사절|금지"
        ),
        "보내|연락하|문자하|전화하|오게하|메시지하 지마|지말|지않|지좀마",
        "그만|다시는|더이상|이제 .. 보내|연락|문자|안받|받고싶지|오지",
        "받고싶지|받기싫|안받|받지않",
        "번호|사람 .. 틀|잘못|아닙|아니|바뀌",
        "잘못 보내|거|걸|보낸|온",
        "번호|목록|명단|저 .. 삭제|지워|빼|제외",
        "구독|수신동의|동의 .. 취소|해지|철회|해제",
        "신고 하겠|할|합|함",
        "꺼져|짜증|귀찮",
    ),
    start=("시작|구독|재개|수신동의",),
    help="도움말, 도움, 도와주세요, 도와줘, 문의",
    spaced=False,
)

THAI = Lexicon(
    name="thai",
    alone="หยุด, ยกเลิก, เลิก, พอ, พอแล้ว, หยุดส่ง, ยกเลิกรับข่าวสาร, ผิดเบอร์, เบอร์ผิด",
    spare=("อย่า|ไม่ หยุด|ยกเลิก", "ยกเลิก คำสั่งซื้อ|ออเดอร์|นัด"),
    stop=(
        "หยุด|เลิก|อย่า|ห้าม|ไม่ต้อง|งด .. ส่ง|ข้อความ|sms|ติดต่อ|โทร|รบกวน|ทัก",
        "ไม่ ต้องการ|อยาก|ยินยอม|ประสงค์ .. รับ|ข้อความ|sms|ข่าว",
        "ยกเลิก .. ข้อความ|sms|รับ|ติดตาม|ข่าว|สมัคร",
        "ผิดเบอร์|เบอร์ผิด|โทรผิด|ส่งผิด|ผิดคน",
        "ลบ .. เบอร์|รายชื่อ|ข้อมูล",
    ),
    start=("เริ่ม|สมัคร",),
    help="ช่วยด้วย, ช่วยเหลือ, ช่วย",
    spaced=False,
)
