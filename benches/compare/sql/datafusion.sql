-- What DataFusion is asked otherwise than the others.

-- question: income per head: counties
select county, percentile_cont(head, 0.5), percentile_cont(head, 0.9)
from (select county, cast(income as double) / members as head from household) h group by county;
-- question: income per head: aided households
select county, percentile_cont(head, 0.5), percentile_cont(head, 0.9)
from (select county, cast(income as double) / members as head from household
 where hid in (select hid from person where {any aids dibao_rural, dibao_urban})) h group by county;
-- question: income per head: townships of a county
select township, percentile_cont(head, 0.5), percentile_cont(head, 0.9)
from (select township, cast(income as double) / members as head from household where county = 140105) h
group by township;

-- question: one person: with the household
select {person_id p.pid}, p.name, p.sex, p.birth_date, p.disability_grade, p.monthly_income, p.aids, p.marks,
 {household_id h.hid}, h.village, h.address, h.members, h.income
from (select * from person where pid = {pid}) p cross join (
 select * from household where hid = (select hid from person where pid = {pid})) h;
