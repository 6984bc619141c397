-- What engines that speak SQL are asked instead of the questions of questions.toml. A dialect's own
-- file takes the place of what it says better.
--
-- {any marks a, b}, {all …}, {none …}: bits of a set; {only marks a | b}: all of a and none of b;
-- {count c}: rows for which c is true; {div a b}: a whole quotient; {band}: the band of an age;
-- {disabled}, {severely}, {at_work}: what they say; {distinct x}: how many different ones;
-- {each_aid}: for each kind the sum of n over the sets that have it.

-- question: county by aid: one county
select {each_aid} from (
 select aids, count(*) as n from person where county = 140105 and aids <> 0 group by aids) g;
-- question: county by aid: one city
select {each_aid} from (
 select aids, count(*) as n from person where city = 1408 and aids <> 0 group by aids) g;
-- question: county by aid: women of a township
select {each_aid} from (
 select aids, count(*) as n from person where township = 140506003 and sex = 2 and aids <> 0 group by aids) g;

-- question: city by aid: persons
select city, {each_aid} from (
 select city, aids, count(*) as n from person where aids <> 0 group by city, aids) g group by city;
-- question: city by aid: old persons
select city, {each_aid} from (
 select city, aids, count(*) as n from person where birth_date <= date '1966-10-31' and aids <> 0
 group by city, aids) g group by city;
-- question: city by aid: households of four aids
select city, count(distinct case when {any aids dibao_rural} then hid end) as rural,
 count(distinct case when {any aids dibao_urban} then hid end) as urban,
 count(distinct case when {any aids housing_aid} then hid end) as housing,
 count(distinct case when {any aids disability_care} then hid end) as care
from person where {any aids dibao_rural, dibao_urban, housing_aid, disability_care} group by city;

-- question: map: counties, frequent flag
select county, n, 1000.0 * n / total from (
 select county, {count {only marks landed | chronic_illness}} as n, count(*) as total
 from person group by county) g;
-- question: map: counties, rare flag
select county, n, 1000.0 * n / total from (
 select county, {count {only marks rare_disease | medical_insured}} as n, count(*) as total
 from person group by county) g;
-- question: map: townships, frequent flag
select township, n, 1000.0 * n / total from (
 select township, {count {only marks landed | chronic_illness}} as n, count(*) as total
 from person group by township) g;
-- question: map: villages, frequent flag
select village, n, 1000.0 * n / total from (
 select village, {count {only marks landed | chronic_illness}} as n, count(*) as total
 from person group by village) g;
-- question: map: villages, rare flag
select village, n, 1000.0 * n / total from (
 select village, {count {only marks rare_disease | medical_insured}} as n, count(*) as total
 from person group by village) g;
-- question: map: villages of a county
select village, n, 1000.0 * n / total from (
 select village, {count {only marks landed | chronic_illness}} as n, count(*) as total
 from person where county = 140105 group by village) g;

-- question: crosstab: province
select {band} as band, sex, disability_grade, count(*) from person group by 1, 2, 3;
-- question: crosstab: one county
select {band} as band, sex, disability_grade, count(*) from person where county = 140105 group by 1, 2, 3;
-- question: crosstab: living alone
select {band} as band, sex, disability_grade, count(*) from person
where {any marks living_alone} group by 1, 2, 3;
-- question: crosstab: sex by grade by county
select county, sex, disability_grade, count(*) from person
where {disabled} group by 1, 2, 3;

-- question: ill households: income
select city, urban, count(*), sum(income), avg(income) from household
where hid in (select hid from person where {any marks severe_illness}) group by city, urban;
-- question: ill households: paid by all members
select city, urban, count(*), sum(paid), avg(paid) from (
 select hid, city, urban, coalesce(sum(medical_paid), 0) as paid from person
 where hid in (select hid from person where {any marks severe_illness}) group by hid, city, urban) g
group by city, urban;
-- question: ill households: rare disease
select city, urban, count(*), sum(income), avg(income) from household
where hid in (select hid from person where {any marks rare_disease}) group by city, urban;
-- question: ill households: one county
select township, urban, count(*), sum(income), avg(income) from household
where county = 140105 and hid in (select hid from person where county = 140105 and {any marks severe_illness})
group by township, urban;

-- question: income per head: counties
select county, quantile_cont(head, 0.5), quantile_cont(head, 0.9)
from (select county, income / members as head from household) h group by county;
-- question: income per head: aided households
select county, quantile_cont(head, 0.5), quantile_cont(head, 0.9)
from (select county, income / members as head from household
 where hid in (select hid from person where {any aids dibao_rural, dibao_urban})) h group by county;
-- question: income per head: townships of a county
select township, quantile_cont(head, 0.5), quantile_cont(head, 0.9)
from (select township, income / members as head from household where county = 140105) h group by township;

-- question: two disabled, none at work: counties
with two as {materialized} (
 select hid from person where {disabled} group by hid having count(*) >= 2)
select county, count(*) from (
 select hid, county from person where hid in (select hid from two) group by hid, county
 having {count {at_work}} = 0) g group by county;
-- question: two disabled, none at work: severely, province
with two as {materialized} (select hid from person where {severely} group by hid having count(*) >= 2)
select count(*) from (
 select hid from person where hid in (select hid from two) group by hid having {count {at_work}} = 0) g;
-- question: two disabled, none at work: villages of a county
select village, count(*) from (
 select hid, min(village) as village from person
 where county = 140105 and ({disabled} or {at_work}) group by hid
 having {count {disabled}} >= 2 and {count {at_work}} = 0) g group by village;

-- question: six flags, two aids: any of each
select count(*), {distinct hid} from person
where {any marks severe_illness, major_disease, chronic_illness}
 and {any marks living_alone, left_behind_elder, single_parent} and {any aids dibao_rural, dibao_urban};
-- question: six flags, two aids: all six
select count(*) from person
where {all marks landed, pension_insured, medical_insured, chronic_illness, migrant, living_alone};
-- question: six flags, two aids: yes and no
select county, count(*), {distinct hid} from person
where {only marks landed, pension_insured | migrant, chronic_illness}
 and {any marks debt, single_parent} and {only aids dibao_rural | housing_aid} group by county;
-- question: six flags, two aids: wide, distinct households
select city, count(*), {distinct hid} from person
where {any marks landed, pension_insured, medical_insured, chronic_illness, migrant, living_alone}
 and {none aids dibao_rural, dibao_urban} group by city;

-- question: top townships: living alone
select township, total, 1000.0 * n / total as rate from (
 select township, {count {any marks living_alone}} as n, count(*) as total from person group by township) g
where total >= 200 order by rate desc, township limit 20;
-- question: top townships: rare disease
select township, total, 1000.0 * n / total as rate from (
 select township, {count {any marks rare_disease}} as n, count(*) as total from person group by township) g
where total >= 200 order by rate desc, township limit 20;
-- question: top townships: of the old on the land
select township, total, 1000.0 * n / total as rate from (
 select township, {count {any marks living_alone}} as n, count(*) as total from person
 where birth_date <= date '1946-10-31' and not urban group by township) g
where total >= 200 order by rate desc, township limit 20;

-- question: ten flags, no aid: frequent
select county, urban, count(*) from person
where {any marks debt, hardship_worker, severe_illness, single_parent, student_grant, no_labour, left_behind_elder, living_alone, migrant, chronic_illness}
 and aids = 0 group by county, urban;
-- question: ten flags, no aid: rare
select county, urban, count(*) from person
where {any marks homeless, martyr_family, de_facto_orphan, orphan, in_custody, rare_disease, fire_hit, lost_contact, released, flood_hit}
 and aids = 0 group by county, urban;
-- question: ten flags, no aid: one county, villages
select village, urban, count(*) from person
where county = 140105
 and {any marks debt, hardship_worker, severe_illness, single_parent, student_grant, no_labour, left_behind_elder, living_alone, migrant, chronic_illness}
 and aids = 0 group by village, urban;

-- question: 32 by 32: province
{pairs true};
-- question: 32 by 32: aided
{pairs {any aids dibao_rural, dibao_urban}};
-- question: 32 by 32: one county
{pairs county = 140105};

-- question: histogram: income of households
select {div income 50000} as part, count(*) from household where income is not null group by 1;
-- question: histogram: income of persons by city
select city, {div monthly_income 45000} as part, count(*) from person where monthly_income is not null group by 1, 2;
-- question: histogram: paid by the disabled
select {div medical_paid 100000} as part, count(*) from person
where {severely} and medical_paid is not null group by 1;

-- question: ten years by month: registered
select {year day}, {month day}, sum(n), sum(income) from (
 select registered_on as day, count(*) as n, sum(income) as income from household
 where registered_on between date '2016-11-01' and date '2026-10-31' group by registered_on) g group by 1, 2;
-- question: ten years by month: registered, one city
select {year day}, {month day}, sum(n), sum(income) from (
 select registered_on as day, count(*) as n, sum(income) as income from household
 where city = 1408 and registered_on between date '2016-11-01' and date '2026-10-31' group by registered_on) g
group by 1, 2;
-- question: ten years by month: stock of the disabled
select month, sum(began) over (order by month) from (
 select greatest({year day} * 12 + {month day} - 1, 24202) as month, sum(n) as began from (
  select disability_since as day, count(*) as n from person where disability_since is not null
  group by disability_since) d group by 1) g;
-- question: ten years by month: stock by city
select month, city, sum(began) over (partition by city order by month) from (
 select greatest({year day} * 12 + {month day} - 1, 24202) as month, city, sum(n) as began from (
  select disability_since as day, city, count(*) as n from person where disability_since is not null
  group by disability_since, city) d group by 1, 2) g;

-- question: one person: with the household
select {person_id p.pid}, p.name, p.sex, p.birth_date, p.disability_grade, p.monthly_income, p.aids, p.marks,
 {household_id h.hid}, h.village, h.address, h.members, h.income
from person p join household h on h.hid = p.hid where p.pid = {pid};
-- question: one person: all of a household
select {person_id pid}, name, sex, birth_date, relation, disability_grade, monthly_income, aids, marks
from person where hid = {hid} order by pid;

-- question: deep page: one county
select {person_id pid}, birth_date, monthly_income from person
where county = 140105 and {any marks living_alone} order by birth_date, pid limit 50 offset 1000;
-- question: deep page: province
select {person_id pid}, birth_date, monthly_income from person
where {disabled} order by monthly_income desc nulls last, pid limit 50 offset 100000;
-- question: deep page: in the order of places
select {person_id pid}, birth_date, monthly_income from person
where {any marks medical_insured} and sex = 2 order by pid limit 50 offset 200000;

-- question: entered and left: old and insured, by city
select case when before and after then 'stayed' when after then 'entered' else 'left' end as move,
 case when before then city end, case when after then city end, count(*) from (
 select city, birth_date <= date '1966-09-30' and insured_until >= 24320 as before,
  birth_date <= date '1966-10-31' and insured_until >= 24321 as after
 from person where birth_date <= date '1966-10-31' and insured_until >= 24320) g
where before or after group by 1, 2, 3;
-- question: entered and left: insured of a county
select case when before and after then 'stayed' when after then 'entered' else 'left' end as move,
 case when before then township end, case when after then township end, count(*) from (
 select township, birth_date <= date '1966-09-30' and insured_until >= 24320 as before,
  birth_date <= date '1966-10-31' and insured_until >= 24321 as after
 from person where county = 140105 and birth_date <= date '1966-10-31' and insured_until >= 24320) g
where before or after group by 1, 2, 3;

-- question: three aggregates: cities
select h.city, count(*), sum(g.paid) from household h join (
 select hid, sum(medical_paid) as paid from person
 where hid in (select hid from person where {disabled}) group by hid
 having max(checked_on) >= date '2026-04-30' and sum(medical_paid) > 0) g
on g.hid = h.hid where g.paid > 2 * h.income group by h.city;
-- question: three aggregates: one county
select h.village, count(*), sum(g.paid) from household h join (
 select hid, sum(medical_paid) as paid from person where county = 140105 group by hid
 having {count {disabled}} >= 1 and max(checked_on) >= date '2026-04-30' and sum(medical_paid) > 0) g
on g.hid = h.hid where h.county = 140105 and g.paid > 2 * h.income group by h.village;
-- question: three aggregates: paid within a window
select county, count(*) from (
 select hid, county from person where hid in (select hid from person where {any marks severe_illness})
 group by hid, county having max(birth_date) >= date '2010-01-01'
  and coalesce(sum(medical_paid) filter (where checked_on > date '2026-07-31'), 0)
   > 6 * coalesce(sum(monthly_income), 0)) g group by county;

-- question: scan: rare amount
select count(*), sum(medical_paid) from person where medical_paid >= 3995000;
-- question: scan: frequent amount
select count(*), sum(monthly_income) from person where monthly_income < 300000;
-- question: scan: one birthday
select city, count(*) from person where birth_date = date '1980-05-17' group by city;
